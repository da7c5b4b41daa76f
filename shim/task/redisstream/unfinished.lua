-- unfinished: whether a consumer of this index has an entry pending. Of one that :owner
-- doesn't know, as it was no consumer of ours or its key was lost, the pending entries
-- tell: they are looked through from where the last look ended, and until their end is
-- reached it isn't known that there is none.
local from, many = ARGV[3], 1000
for _, consumer in ipairs(call('ZRANGEBYSCORE', owner, index, index, 'LIMIT', 0, 100)) do
  if #call('XPENDING', stream, group, '-', '+', 1, consumer) > 0 then return { 1, from } end
  call('ZREM', owner, consumer)
end
local rows, prefix = call('XPENDING', stream, group, from, '+', many), index .. '-'
for _, row in ipairs(rows) do
  if string.sub(row[2], 1, #prefix) == prefix then return { 1, row[1] } end
end
if #rows < many then return { 0, '-' } end
return { 1, '(' .. rows[many][1] }
