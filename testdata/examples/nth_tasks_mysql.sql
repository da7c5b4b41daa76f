CREATE TABLE nth_tasks (
  id      bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  payload longblob NOT NULL,
  state   enum('running', 'ready', 'done', 'dead') NOT NULL DEFAULT 'ready',
  attempt int unsigned NOT NULL DEFAULT 0,                 -- deliveries so far
  due     datetime(6) NOT NULL DEFAULT (utc_timestamp(6)), -- in UTC; ready: not before; running: the lease's end; else: since
  run_id  varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, -- who took it last
  worker  bigint,                                          -- and under which index
  error   text CHARACTER SET utf8mb4,                      -- of the last failure
  KEY nth_due (state, due, id),
  KEY nth_worker (worker, state)
) ENGINE = InnoDB;
