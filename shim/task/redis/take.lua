-- take: the task that this call took before, if its answer was lost; else one whose
-- lease has ended or whose delay is over; else one from the list, which gets an ID.
-- Gives the task, or one that was put aside instead of being taken, behind why it was.
local index, run, receipt, fresh, again = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
local span, attempts, pop = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]

local function spent(m)
  if m.receipt then return 'its worker died, or was stopped, in attempt ' .. m.attempt .. ' of ' .. attempts end
  return 'it has had ' .. m.attempt .. ' of ' .. attempts .. ' attempts'
end

local function again_taken()
  local id = again and call('HGET', taken, receipt)
  local m = id and about(id)
  if m and m.receipt == receipt then return id, m end
end

local function ready()
  local id = call('ZRANGEBYSCORE', lease, '-inf', now, 'LIMIT', 0, 1)[1]
  if not id then return end
  local m = about(id)
  if call('HEXISTS', task, id) == 0 then return id, m, 'its content is gone: was a key evicted?' end
  if attempts > 0 and m.attempt >= attempts then return id, m, spent(m) end
  return id, m
end

local function popped()
  local content = call(pop, queue)
  if not content then return end
  call('HSET', task, fresh, content)
  return fresh, { attempt = 0 }
end

mend(index, span)
local id, m = again_taken()
if not id then
  local why
  id, m, why = ready()
  if why then return { why, id, bury(id, m, why), m.attempt } end
  if not id then id, m = popped() end
  if not id then return { '', '', '', 0 } end
  m.attempt = m.attempt + 1
end
if m.index then call('ZREM', owner, m.index .. ':' .. id) end
if m.receipt then call('HDEL', taken, m.receipt) end
call('HSET', taken, receipt, id)
m.index, m.run_id, m.receipt, m.due = index, run, receipt, now + span
note(id, m)
return { '', id, call('HGET', task, id), m.attempt }
