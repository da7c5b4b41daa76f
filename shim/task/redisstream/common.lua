-- What every script begins with. All keys are in one slot; times are the server's, in
-- milliseconds. The group's pending entries say who holds what, and in which delivery.
-- The keys beside them say what to look at, for nobody may look at all of them: of those
-- that were given back, :due has when they are there again; of those that are held, :lease
-- has when they would be, as "<id> <consumer>", for who takes or claims one without knowing
-- of it makes another consumer's of it; and :owner has the consumers by their index.
local stream, due, dead, lease, owner = unpack(KEYS)
local group, me = ARGV[1], ARGV[2]
local index = string.match(me, '^%d+')
local call = redis.call

-- What this run gave back is another consumer's, so that its own has what it holds alone.
local back = me .. ':back'

-- A write that does nothing. A replica refuses it: its answers may be old, and by an old
-- one a task that is held would be lost, or a worker leave for good. And a server whose
-- memory is full refuses a script's first write if that could need some, and none after.
call('ZREM', due, '')

local clock = call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- pending gives what is known of an entry that isn't acknowledged: its ID, consumer,
-- idle time and delivery. Where a failover has forgotten the group, it knows none.
local function pending(id)
  local rows = redis.pcall('XPENDING', stream, group, id, id, 1)
  if rows.err then
    if string.find(rows.err, 'NOGROUP', 1, true) then return end
    return rows
  end
  return rows[1]
end

-- mine tells whether a pending entry is held by this consumer, in this delivery.
local function mine(row, attempt)
  return row and row[2] == me and row[4] == tonumber(attempt)
end

local function given(id) return call('ZSCORE', due, id) end

-- tidy removes a consumer that has nothing pending; it is made again when it reads.
local function tidy(consumer)
  if #call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
    call('XGROUP', 'DELCONSUMER', stream, group, consumer)
    call('ZREM', owner, consumer)
  end
end

-- keepFor notes that an entry is this consumer's for so long.
local function keepFor(id, span)
  call('ZREM', due, id)
  call('ZADD', lease, now + span, id .. ' ' .. me)
  call('ZADD', owner, index, me)
end

-- forget: nothing of an entry stays but what is in the stream.
local function forget(id, consumer)
  call('XACK', stream, group, id)
  call('ZREM', due, id)
  call('ZREM', lease, id .. ' ' .. consumer)
end

-- bury puts an entry aside: all its fields, and why, under names that begin with nth_.
local function bury(id, consumer, attempt, why)
  local who = string.gsub(consumer, ':back$', '')
  local fields = { 'nth_id', id, 'nth_group', group, 'nth_consumer', who, 'nth_attempt', attempt, 'nth_reason', why }
  local entry = call('XRANGE', stream, id, id)[1]
  if entry and #entry[2] < 4000 then -- Lua has no room for more; the entry itself stays
    for _, text in ipairs(entry[2]) do fields[#fields + 1] = text end
  end
  call('XADD', dead, '*', unpack(fields))
  forget(id, consumer)
  tidy(consumer)
end

-- buried tells whether it was this delivery by which an entry was put aside, lately.
local function buried(id, attempt)
  for _, entry in ipairs(call('XREVRANGE', dead, '+', '-', 'COUNT', 100)) do
    local f = entry[2]
    if f[2] == id and f[4] == group then return f[6] == me and f[8] == attempt end
  end
end
