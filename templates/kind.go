package templates

// ItemKind is what an item is, from which follows what of it stays the same when it is
// run again.
type ItemKind int

// The kinds of items.
const (
	// IndexItem is the index itself.
	IndexItem ItemKind = iota
	// RowItem is the row of a file, or the object of a list, that has the index as its number.
	RowItem
	// FetchedItem is what an HTTP API says of the index.
	FetchedItem
	// TaskItem is a task that came from a queue to this index, a worker, by chance.
	TaskItem
	// NumberItem is one of the numbers that are the index's shard.
	NumberItem
	// ShardRowItem is one of the rows of a file, or of the objects, that are the index's shard.
	ShardRowItem
	// SharedNumberItem and SharedRowItem are the same of shards whose items may come to
	// another index (--share).
	SharedNumberItem
	SharedRowItem
)

// AnyIndex tells whether the same item may come to another index the next time, so that
// the index is no part of what it is.
func (k ItemKind) AnyIndex() bool {
	return k == TaskItem || k == SharedNumberItem || k == SharedRowItem
}

// HasPayload tells whether the item comes with a payload: .Task.
func (k ItemKind) HasPayload() bool {
	return k != IndexItem && k != NumberItem && k != SharedNumberItem
}
