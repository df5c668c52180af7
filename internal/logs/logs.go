// Package logs owns the log of a process: where lines go, in which form, and when.
package logs

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// Wait is how long a line of a level below Warn may wait for others: a system call
	// for each request costs more than the line itself.
	Wait = 100 * time.Millisecond
	// room is how much is held before it is written without waiting, in bytes.
	room = 32 << 10
)

// Log writes lines to one place, in their order. What warns, and everything before it,
// is written at once; other lines within [Wait]. A process that is killed loses those of
// that time, so what must not be lost is in the journal and not here.
type Log struct {
	to    io.Writer
	mu    sync.Mutex
	held  []byte
	due   bool // a flush will come
	timer *time.Timer
}

// New writes to to. Flush must be called at the end.
func New(to io.Writer) *Log { return &Log{to: to, held: make([]byte, 0, room)} }

// Text is a logger of lines of key=value, JSON one of objects.
func (l *Log) Text(level slog.Leveler) *slog.Logger {
	return slog.New(handler{slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}), l})
}

func (l *Log) JSON(level slog.Leveler) *slog.Logger {
	return slog.New(handler{slog.NewJSONHandler(l, &slog.HandlerOptions{Level: level}), l})
}

// Write holds p, and writes all that is held where that is much. Its error is that of
// the place, for what was held.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, p...)
	if len(l.held) >= room {
		return len(p), l.flush()
	}
	if !l.due {
		l.due = true
		if l.timer == nil {
			l.timer = time.AfterFunc(Wait, func() { _ = l.Flush() })
		} else {
			l.timer.Reset(Wait)
		}
	}
	return len(p), nil
}

// Flush writes what is held.
func (l *Log) Flush() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.flush()
}

func (l *Log) flush() error {
	if l.due = false; l.timer != nil {
		l.timer.Stop()
	}
	if len(l.held) == 0 {
		return nil
	}
	_, err := l.to.Write(l.held)
	l.held = l.held[:0]
	return err
}

type handler struct {
	slog.Handler
	log *Log
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		return h.log.Flush()
	}
	return err
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.log}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.log}
}
