package feedline

import (
	"math/rand/v2"
	"time"
)

// retry gives growing pauses between tries, until nothing has arrived for too long.
type retry struct {
	limit time.Duration
	since time.Time
	pause time.Duration
}

func newRetry(limit time.Duration) *retry {
	return &retry{limit: limit, since: time.Now(), pause: firstPause}
}

// reset says that something arrived: the next failure starts from the shortest pause.
func (r *retry) reset() {
	r.since, r.pause = time.Now(), firstPause
}

// next returns the next pause; false if the limit has passed. Pauses double, and vary by half, so that the clients of
// a restarted server do not all come at once.
func (r *retry) next() (time.Duration, bool) {
	left := r.limit - r.waited()
	if left <= 0 {
		return 0, false
	}
	pause := time.Duration(float64(r.pause) * (0.5 + rand.Float64()))
	r.pause = min(2*r.pause, longestPause)
	return min(pause, left), true
}

// connect returns how long a connection may take.
func (r *retry) connect() time.Duration {
	return min(max(r.limit-r.waited(), time.Second), longestConnect)
}

func (r *retry) waited() time.Duration { return time.Since(r.since) }

const (
	firstPause     = 50 * time.Millisecond
	longestPause   = 5 * time.Second
	longestConnect = 10 * time.Second
)
