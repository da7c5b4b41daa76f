-- take: the task that this consumer took before, if its answer was lost; else one whose
-- delay is over or whose lease has ended; else the next one that nobody has had. Gives
-- the task, or one that was put aside instead of being taken, behind why it was. It is no
-- XAUTOCLAIM: that would take, and count as delivered, also what is delayed.
local again, span, attempts = ARGV[3] == '1', tonumber(ARGV[4]), tonumber(ARGV[5])

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
  call('ZREM', due, id)
  if consumer ~= me then tidy(consumer) end
  return { entry, count + 1 }
end

local function before()
  for _, row in ipairs(again and call('XPENDING', stream, group, '-', '+', 1e6, me) or {}) do
    local entry = call('XRANGE', stream, row[1], row[1])[1]
    if entry and not given(row[1]) then
      call('XCLAIM', stream, group, me, 0, row[1], 'JUSTID')
      return { entry, row[4] }
    end
  end
end

local function delayed()
  while true do
    local id = call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 1)[1]
    if not id then return end
    local row = pending(id)
    local got = row and ready(row)
    if got then return got end
    call('ZREM', due, id)
  end
end

local function expired()
  local from = '-'
  while true do
    local rows = call('XPENDING', stream, group, 'IDLE', span, from, '+', 100)
    for _, row in ipairs(rows) do
      local got = not given(row[1]) and ready(row)
      if got then return got end
      from = '(' .. row[1]
    end
    if #rows < 100 then return end
  end
end

local function fresh()
  local all = call('XREADGROUP', 'GROUP', group, me, 'COUNT', 1, 'STREAMS', stream, '>')
  if all then return { all[1][2][1], 1 } end
  tidy(me) -- from Redis 7.2 on, a read makes its consumer also when it finds nothing
end

local known = redis.pcall('XPENDING', stream, group, '-', '+', 1)
if known.err then
  if not string.find(known.err, 'NOGROUP', 1, true) then return known end
  local made = redis.pcall('XGROUP', 'CREATE', stream, group, '0')
  if made.err then return made end
end
local got = before() or delayed() or expired() or fresh()
if not got then return { '', '', 0 } end
return { got[3] or '', got[1][1], got[2], got[1][2] }
