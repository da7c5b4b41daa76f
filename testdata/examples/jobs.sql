CREATE TABLE jobs (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  body         jsonb NOT NULL,
  status       text NOT NULL DEFAULT 'new',        -- new, working, finished, broken
  locked_until timestamptz NOT NULL DEFAULT now(), -- new: not before; working: the lease's end
  tries        integer NOT NULL DEFAULT 0,
  locked_by    text,                               -- the run
  worker       integer,                            -- and its index
  note         text                                -- why it failed
);
CREATE INDEX jobs_open ON jobs (locked_until) WHERE status IN ('new', 'working');
