// What programs do with the npm package `webdav`:  node webdav.mjs SCENARIO URL TOKEN
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createClient } from 'webdav'

const [scenario, url, password] = process.argv.slice(2)
const client = createClient(url, { username: 'me', password })
const NAMES = ['Кириллица 🦀.txt', '100% real?.txt', 'a+b=c & d#1.txt', "quotes 'n' [a] {b}.txt"]

const sha256 = (content) => createHash('sha256').update(content).digest('hex')
const names = async (path, options) => {
  const entries = await client.getDirectoryContents(path, options)
  return entries.map((entry) => entry.filename).sort()
}
const fails = (status, promise) => assert.rejects(promise, (error) => error.status === status)

const scenarios = {
  async tree() {
    assert.equal(await client.exists('/a'), false)
    await client.createDirectory('/a/b/c', { recursive: true })
    for (const name of NAMES) {
      assert.equal(await client.putFileContents(`/a/b/${name}`, name), true)
      assert.equal(await client.getFileContents(`/a/b/${name}`, { format: 'text' }), name)
    }
    assert.deepEqual(await names('/a/b'), ['/a/b/c', ...NAMES.map((name) => `/a/b/${name}`)].sort())
    assert.deepEqual(await names('/a', { deep: true, glob: '**/*.txt' }), NAMES.map((name) => `/a/b/${name}`).sort())
    await fails(404, client.getDirectoryContents('/nowhere'))
    await fails(405, client.createDirectory('/a'))
    await fails(409, client.createDirectory('/nowhere/below'))

    const file = `/a/b/${NAMES[0]}`
    const stat = await client.stat(file)
    assert.deepEqual([stat.type, stat.basename, stat.size], ['file', NAMES[0], Buffer.byteLength(NAMES[0])])
    assert.equal((await client.stat('/a')).type, 'directory')
    await client.copyFile(file, '/copy')
    assert.equal(await client.getFileContents('/copy', { format: 'text' }), NAMES[0])
    await client.copyFile('/a', '/whole')
    assert.equal((await names('/whole/b')).length, NAMES.length + 1)
    await client.copyFile('/a', '/shallow', { shallow: true })
    assert.deepEqual(await names('/shallow'), [])
    await fails(412, client.copyFile(file, '/copy', { overwrite: false }))
    await fails(412, client.moveFile('/whole', '/shallow', { overwrite: false }))
    await client.moveFile('/whole', '/moved #1')
    assert.deepEqual([await client.exists('/whole'), await client.exists('/moved #1/b/c')], [false, true])
    await client.deleteFile('/moved #1')
    await client.deleteFile('/copy')
    await fails(404, client.deleteFile('/copy'))
    assert.deepEqual(await names('/'), ['/a', '/shallow'])
  },

  async contents() {
    const content = randomBytes(300_000)
    await client.putFileContents('/f', content)
    assert.ok(content.equals(await client.getFileContents('/f')))
    const { data, headers, status } = await client.getFileContents('/f', { details: true })
    assert.ok(status === 200 && content.equals(data))
    assert.equal(await client.putFileContents('/f', 'another', { overwrite: false }), false)
    assert.equal(await client.putFileContents('/new', 'another', { overwrite: false }), true)

    // Entity tags as conditions.
    const { etag } = headers
    assert.equal(`"${(await client.stat('/f')).etag}"`, etag)
    await client.putFileContents('/f', 'second', { headers: { 'If-Match': etag } })
    await fails(412, client.putFileContents('/f', 'third', { headers: { 'If-Match': etag } }))
    await fails(412, client.deleteFile('/f', { headers: { 'If-Match': etag } }))
    assert.equal(await client.getFileContents('/f', { format: 'text' }), 'second')
    const unchanged = { 'If-None-Match': `"${(await client.stat('/f')).etag}"` }
    assert.equal((await client.customRequest('/f', { method: 'GET', headers: unchanged })).status, 304)
    // fetch takes no link with a password in it.
    const link = client.getFileDownloadLink('/f').replace(/\/\/[^@]*@/, '//')
    assert.equal(await (await fetch(link, { headers: client.getHeaders() })).text(), 'second')
  },

  async streams() {
    const content = randomBytes(12_000_000)
    await new Promise((resolve, reject) => {
      const target = client.createWriteStream('/large', {}, resolve)
      pipeline(Readable.from([content.subarray(0, 5_000_001), content.subarray(5_000_001)]), target).catch(reject)
    })
    const hash = createHash('sha256')
    await pipeline(client.createReadStream('/large'), hash)
    assert.equal(hash.digest('hex'), sha256(content))
    const pieces = []
    for await (const piece of client.createReadStream('/large', { range: { start: 4_999_990, end: 5_000_009 } })) {
      pieces.push(piece)
    }
    assert.ok(Buffer.concat(pieces).equals(content.subarray(4_999_990, 5_000_010)))
    await client.putFileContents('/streamed', Readable.from([content]))
    assert.equal((await client.stat('/streamed')).size, content.length)
    await fails(416, pipeline(client.createReadStream('/large', { range: { start: 12_000_000 } }), createHash('sha256')))
  },

  async locks() {
    await client.putFileContents('/f', 'x')
    const { token, serverTimeout } = await client.lock('/f')
    assert.match(serverTimeout, /^Second-\d+$/)
    await fails(423, client.putFileContents('/f', 'y'))
    await fails(423, client.lock('/f'))
    await client.putFileContents('/f', 'y', { headers: { If: `(<${token}>)` } })
    await client.unlock('/f', `<${token}>`)
    await client.putFileContents('/f', 'z')
    const { compliance } = await client.getDAVCompliance('/')
    assert.deepEqual(compliance.slice(0, 3), ['1', '2', '3'])
    await assert.rejects(client.partialUpdateFileContents('/f', 0, 0, 'q'), /Not supported/)
  },

  async quota() {
    await client.putFileContents('/f', 'x'.repeat(1000))
    assert.deepEqual(await client.getQuota(), { used: 1000, available: 999_000 })
    await fails(507, client.putFileContents('/g', 'x'.repeat(1_000_000)))
  },
}

await scenarios[scenario]()
