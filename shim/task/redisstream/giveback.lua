-- giveback: a failure, or a release, which takes no attempt. It answers the same when it
-- is repeated.
local id, attempt, why = ARGV[3], tonumber(ARGV[4]), ARGV[5]
local after, attempts, counts = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8] == '1'
local row = pending(id)
if row and row.err then return row end
if not row then return buried(id, ARGV[4]) and 'dead' or 'lost' end
local left = counts and attempt or attempt - 1
if row[2] == back and row[4] == left then return 'back' end
if not mine(row, attempt) then return 'lost' end
if counts and attempts > 0 and attempt >= attempts then
  bury(id, me, attempt, why)
  return 'dead'
end
call('XCLAIM', stream, group, back, 0, id, 'RETRYCOUNT', left, 'JUSTID')
call('ZADD', due, now + after, id)
call('ZREM', lease, id .. ' ' .. me)
call('ZADD', owner, index, back)
tidy(me)
return 'back'
