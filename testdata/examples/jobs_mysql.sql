CREATE TABLE jobs (
  id           bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  body         json NOT NULL,
  status       enum('working', 'new', 'finished', 'broken') NOT NULL DEFAULT 'new',
  locked_until datetime(6) NOT NULL DEFAULT (utc_timestamp(6)), -- new: not before; working: the lease's end
  tries        int NOT NULL DEFAULT 0,
  locked_by    varchar(255),                                    -- the run
  worker       bigint,                                          -- and its index
  note         text CHARACTER SET utf8mb4,                      -- why it failed
  KEY jobs_open (status, locked_until, id)
) DEFAULT CHARACTER SET utf8mb4;
