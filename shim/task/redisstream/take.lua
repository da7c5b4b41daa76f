-- take: the task that this consumer took before, if its answer was lost; else one whose
-- delay is over or whose lease has ended; else the next one that nobody has had. Gives
-- the task, or one that was put aside instead of being taken, behind why it was, and where
-- the next take is to go on looking. It is no XAUTOCLAIM: that would take, and count as
-- delivered, also what is delayed. However many entries are pending, it looks at so few:
local few, many = 10, 100
local again, span, attempts, cursor = ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]

-- ready takes a pending entry over, or puts it aside when it has had all its attempts.
local function ready(row)
  local id, consumer, count = row[1], row[2], row[4]
  local entry = call('XRANGE', stream, id, id)[1]
  local why
  if not entry then
    why = 'its entry is gone: was it deleted, or the stream trimmed?'
  elseif attempts > 0 and count >= attempts then
    why = 'its worker died, or was stopped, in attempt ' .. count .. ' of ' .. attempts
    if given(id) then why = 'it has had ' .. count .. ' of ' .. attempts .. ' attempts' end
  end
  if why then
    bury(id, consumer, count, why)
    return { entry or { id, {} }, count, why }
  end
  call('XCLAIM', stream, group, me, 0, id, 'RETRYCOUNT', count + 1, 'JUSTID')
  call('ZREM', lease, id .. ' ' .. consumer)
  keepFor(id, span)
  if consumer ~= me then tidy(consumer) end
  return { entry, count + 1 }
end

local function before()
  for _, row in ipairs(again and call('XPENDING', stream, group, '-', '+', few, me) or {}) do
    local entry = call('XRANGE', stream, row[1], row[1])[1]
    if entry then
      call('XCLAIM', stream, group, me, 0, row[1], 'JUSTID')
      keepFor(row[1], span)
      return { entry, row[4] }
    end
  end
end

-- over gives entries whose time in a sorted set has come.
local function over(key) return ipairs(call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, few)) end

local function delayed()
  for _, id in over(due) do
    local row = pending(id)
    if row then return ready(row) end
    call('ZREM', due, id)
  end
end

local function expired()
  for _, member in over(lease) do
    local id, consumer = string.match(member, '^(%S+) (.*)$')
    local row = pending(id)
    if row and row[2] == consumer then return ready(row) end
    call('ZREM', lease, member)
  end
end

-- unknown: an entry whose lease has ended that is in neither sorted set, for it was taken
-- by a consumer that isn't ours, or a key was lost. Each take looks at some more of all
-- pending ones.
local function unknown()
  local rows = call('XPENDING', stream, group, cursor, '+', many)
  for _, row in ipairs(rows) do
    local id = row[1]
    cursor = '(' .. id
    if row[3] >= span and not given(id) and not call('ZSCORE', lease, id .. ' ' .. row[2]) then return ready(row) end
  end
  if #rows < many then cursor = '-' end
end

local function fresh()
  local all = call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', stream, '>')
  if all then
    local entry = all[1][2][1]
    keepFor(entry[1], span)
    return { entry, 1 }
  end
  tidy(me) -- from Redis 7.2 on, a read makes its consumer also when it finds nothing
end

local known = redis.pcall('XPENDING', stream, group, '-', '+', 1)
if known.err then
  if not string.find(known.err, 'NOGROUP', 1, true) then return known end
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0')
  if made.err then return made end
end
local got = before() or delayed() or expired() or unknown() or fresh()
if not got then return { cursor, '', '', 0, {} } end
return { cursor, got[3] or '', got[1][1], got[2], got[1][2] }
