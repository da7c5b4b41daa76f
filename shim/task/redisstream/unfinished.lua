-- unfinished: whether a consumer of this index has an entry pending.
local index = ARGV[3] .. '-'
for _, consumer in ipairs(call('XPENDING', stream, group)[4] or {}) do
  if string.sub(consumer[1], 1, #index) == index and tonumber(consumer[2]) > 0 then return 1 end
end
return 0
