// The JavaScript sample of Nextcloud's documentation:  node nextcloud_example.mjs URL LOGIN TOKEN
// @nextcloud/router and @nextcloud/auth ask a browser's page; here stands what they would give.
import { createClient } from 'webdav'

const [url, uid, password] = process.argv.slice(2)
const generateRemoteUrl = (service) => url.replace(/dav$/, service)
const getCurrentUser = () => ({ uid })
const credentials = { username: uid, password }

const client = createClient(generateRemoteUrl('dav'), credentials)
const response = await client.getDirectoryContents(`/files/${getCurrentUser()?.uid}/folder`, {
        details: true,
        data: `<?xml version="1.0" encoding="UTF-8"?>
                <d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:nc="http://nextcloud.org/ns">
                        <d:prop>
                                <d:getlastmodified/>
                                <d:getcontentlength/>
                                <d:getcontenttype/>
                                <oc:permissions/>
                                <d:resourcetype/>
                                <d:getetag/>
                        </d:prop>
                </d:propfind>`,
})

for (const { basename, size } of response.data) console.log(response.status, basename, size)
