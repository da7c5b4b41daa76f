-- giveback: a failure, or a release, which takes no attempt. It answers the same when it
-- is repeated: a task that is given back remembers who gave it, and so does a dead one.
local id, receipt, why = ARGV[1], ARGV[2], ARGV[3]
local after, attempts, counts = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local m = about(id)
if m.receipt == receipt then
  if counts and attempts > 0 and m.attempt >= attempts then
    bury(id, m, why)
    return 'dead'
  end
  if not counts then m.attempt = m.attempt - 1 end
  call('HDEL', taken, receipt)
  m.receipt, m.gave, m.due = nil, receipt, now + after
  note(id, m)
  return 'back'
end
if m.gave == receipt then return 'back' end
local grave = call('HGET', reason, id)
if grave and cjson.decode(grave).receipt == receipt then return 'dead' end
return 'lost'
