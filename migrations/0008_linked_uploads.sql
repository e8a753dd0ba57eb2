-- Whether the file of an upload by TUS is made. It has no chunks any more, and stays until its time is over: a client to
-- which the end was not told must find out that there is nothing left to send.
ALTER TABLE uploads ADD COLUMN linked INTEGER NOT NULL DEFAULT 0;
