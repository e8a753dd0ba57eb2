// What programs do with the npm package `tus-js-client`:  node tus.mjs SCENARIO ENDPOINT TOKEN FILE [MORE…]
// Prints what the scenario has seen, as JSON.
import assert from 'node:assert/strict'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { PassThrough } from 'node:stream'
import tus from 'tus-js-client'

const [scenario, endpoint, token, file, ...more] = process.argv.slice(2)
const PIECE = 1_500_000
const PARALLEL = { parallelUploads: 3, chunkSize: PIECE / 3 }

// Starts an upload of `content`; the promise is kept when all of it has come.
function upload(content, options, begun = () => {}) {
  return new Promise((resolve, reject) => {
    const seen = []
    const upload = new tus.Upload(content, {
      endpoint,
      retryDelays: null,
      headers: { Authorization: `Bearer ${token}` },
      metadata: { filename: basename(file), filetype: 'text/x-diary', mtime: '1600000000' },
      onBeforeRequest: (request) => { seen.push(request.getMethod()) },
      onError: reject,
      onSuccess: () => resolve({ url: upload.url, seen }),
      ...options,
    })
    begun(upload, seen)
  })
}

const start = (content, options) => upload(content, options, (upload) => upload.start())

// Goes on with what the storage of URLs knows, as after a crash.
const resume = (content, options) =>
  upload(content, options, async (upload) => {
    const [previous] = await upload.findPreviousUploads()
    assert.ok(previous, 'the upload is known')
    upload.resumeFromPreviousUpload(previous)
    upload.start()
  })

// The program ends in the middle, without a word to the server, once `bytes` have been taken and the URLs are kept.
const crash = (options, bytes) => {
  return start(createReadStream(file), {
    ...options,
    onChunkComplete: (size, sum) => {
      if (sum >= bytes && existsSync(more[0])) process.kill(process.pid, 'SIGKILL')
    },
  })
}

const scenarios = {
  whole: () => start(readFileSync(file)),
  'with creation': () => start(readFileSync(file), { uploadDataDuringCreation: true }),
  pieces: () => start(createReadStream(file), { chunkSize: PIECE }),
  'length told late': () =>
    start(createReadStream(file).pipe(new PassThrough()), { chunkSize: PIECE, uploadLengthDeferred: true }),

  // Paused and gone on with by the same program.
  pause: () =>
    upload(createReadStream(file), {
      chunkSize: PIECE,
    }, (upload, seen) => {
      upload.options.onChunkComplete = async (size, sum) => {
        if (sum === 2 * PIECE) {
          await upload.abort()
          seen.push('pause')
          upload.start()
        }
      }
      upload.start()
    }),

  crash: () => crash({ chunkSize: PIECE, urlStorage: new tus.FileUrlStorage(more[0]) }, 2 * PIECE),
  'go on': () => resume(createReadStream(file), { chunkSize: PIECE, urlStorage: new tus.FileUrlStorage(more[0]) }),

  parallel: () => start(createReadStream(file), PARALLEL),
  'parallel crash': () => crash({ ...PARALLEL, urlStorage: new tus.FileUrlStorage(more[0]) }, 1),
  // Of the program that crashed, pieces of other parts may still be under way: whoever is told of another offset asks again, as
  // this client does unless it is told otherwise.
  'parallel go on': () =>
    resume(createReadStream(file), {
      ...PARALLEL,
      retryDelays: [100, 1000, 3000, 5000],
      urlStorage: new tus.FileUrlStorage(more[0]),
    }),

  // Thrown away in the middle.
  async terminate() {
    const urls = []
    await new Promise((resolve, reject) =>
      upload(createReadStream(file), { chunkSize: PIECE, onError: reject }, (upload) => {
        upload.options.onChunkComplete = () => {
          urls.push(upload.url)
          upload.abort(true).then(resolve, reject)
        }
        upload.start()
      }),
    )
    const headers = { Authorization: `Bearer ${token}`, 'Tus-Resumable': '1.0.0' }
    assert.equal((await fetch(urls[0], { method: 'HEAD', headers })).status, 404)
    return {}
  },
}

console.log(JSON.stringify(await scenarios[scenario]()))
