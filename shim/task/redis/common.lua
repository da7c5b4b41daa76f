-- What every script begins with. All keys are in one slot; times are the server's, in
-- milliseconds. Of a task that was taken at least once, :task has the content, :meta
-- what is known of it, :lease when it is there for anybody, and :owner has
-- "<index>:<id>" for the index that took it last. Of one that is held, :taken has the ID
-- by its delivery.
local queue, lease, task, meta, owner, dead, reason, taken = unpack(KEYS)
local call = redis.call

-- A write that does nothing. A replica refuses it: its answers may be old, and by an old
-- one a task that is held would be lost, or a worker leave for good. And a server whose
-- memory is full refuses a script's first write if that could need some, and none after:
-- so leases are kept, and tasks come to an end, also then.
call('HDEL', meta, '')

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function about(id)
  local text = call('HGET', meta, id)
  return text and cjson.decode(text) or { attempt = 0 }
end

local function note(id, m)
  call('HSET', meta, id, cjson.encode(m))
  call('ZADD', lease, m.due, id)
  call('ZADD', owner, 0, m.index .. ':' .. id)
end

local function forget(id, m)
  call('HDEL', task, id)
  call('HDEL', meta, id)
  call('ZREM', lease, id)
  if m.receipt then call('HDEL', taken, m.receipt) end
  if m.index then call('ZREM', owner, m.index .. ':' .. id) end
end

-- bury puts a task aside, with the reason, and gives its content.
local function bury(id, m, why)
  local content = call('HGET', task, id)
  if content then call('HSET', dead, id, content) end
  call('HSET', reason, id, cjson.encode({ reason = why, at = now, attempt = m.attempt, index = m.index,
    run_id = m.run_id, receipt = m.receipt }))
  forget(id, m)
  return content or ''
end

-- mend makes good what an eviction or a failover has taken of the keys: a task that is
-- in one of them is in all. Only a content can't be had back: whose is gone is put aside
-- when it would be taken, and till then there is nothing to mend.
local function mend(index, span)
  local n = call('HLEN', meta)
  if call('HLEN', task) <= n and call('ZCARD', lease) == n and call('ZCARD', owner) == n then return end
  local ids = {}
  for _, all in ipairs({ call('HKEYS', task), call('HKEYS', meta), call('ZRANGE', lease, 0, -1) }) do
    for _, id in ipairs(all) do ids[id] = true end
  end
  local before = {}
  for _, member in ipairs(call('ZRANGE', owner, 0, -1)) do
    local at = string.find(member, ':', 1, true)
    before[string.sub(member, at + 1)] = string.sub(member, 1, at - 1)
    call('ZREM', owner, member)
  end
  for id in pairs(ids) do
    local m = about(id)
    m.index = m.index or before[id] or index
    m.due = m.due or tonumber(call('ZSCORE', lease, id) or now + span)
    note(id, m)
  end
end
