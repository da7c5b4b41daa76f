package local

import "time"

// retry is an index that waits for its next attempt.
type retry struct {
	at time.Time
	Attempt
}

// retries is a heap, the earliest first.
type retries []retry

func (r retries) Len() int           { return len(r) }
func (r retries) Less(a, b int) bool { return r[a].at.Before(r[b].at) }
func (r retries) Swap(a, b int)      { r[a], r[b] = r[b], r[a] }
func (r *retries) Push(x any)        { *r = append(*r, x.(retry)) }
func (r *retries) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	*r = (*r)[:last]
	return x
}

// retryAfter is the delay before the attempt that follows n failures of an index.
func (o *Options) retryAfter(n int) time.Duration {
	d := o.RetryDelay
	for ; n > 1 && d < o.RetryDelayMax; n-- {
		d *= 2
	}
	return min(d, o.RetryDelayMax)
}
