-- giveback: a failure, or a release, which takes no attempt. It answers the same when it
-- is repeated.
local id, attempt, why = ARGV[3], ARGV[4], ARGV[5]
local after, attempts, counts = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local row = pending(id)
if row and row.err then return row end
if not row then return buried(id, attempt) and 'dead' or 'lost' end
local left = counts and attempt or attempt - 1
if given(id) then return mine(row, left) and 'back' or 'lost' end
if not mine(row, attempt) then return 'lost' end
if counts and attempts > 0 and row[4] >= attempts then
  bury(id, me, attempt, why)
  return 'dead'
end
call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', left, 'JUSTID')
call('ZADD', due, now + after, id)
return 'back'
