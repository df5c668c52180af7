package gateway

import (
	"context"
	"sync"
	"time"
)

const (
	// promptRefusals is how many strangers a second are told at once that a limit
	// is reached: more than any number of clients that wait as they are told, and
	// less than would cost anybody else a noticeable part of a processor.
	promptRefusals = 2000
	// heldFor is how long the others wait for that answer. Who asks again as soon as
	// one is there, on however many connections, is slowed to what they divided by it
	// are, and the processor is left to those who are let in.
	heldFor = 50 * time.Millisecond
	// mostHeld bounds how many wait at once; whoever comes then is answered at once.
	mostHeld = 4096
)

// pace holds back the refusals of a flood. The zero pace is ready.
type pace struct {
	mu     sync.Mutex
	second int64
	told   int // in that second
	held   int // now
}

// hold returns when the refusal may be answered, or its client has left.
func (p *pace) hold(ctx context.Context) {
	if !p.enter(time.Now().Unix()) {
		return
	}
	defer p.leave()
	over := time.NewTimer(heldFor)
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
}

func (p *pace) enter(second int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if second != p.second {
		p.second, p.told = second, 0
	}
	if p.told++; p.told <= promptRefusals || p.held == mostHeld {
		return false
	}
	p.held++
	return true
}

func (p *pace) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held--
}
