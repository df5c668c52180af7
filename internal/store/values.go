package store

import (
	"database/sql/driver"
	"strings"
	"time"
)

// micros is how times are kept: whole microseconds since 1970 UTC, 0 for never.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// blob is bytes as an argument of a statement. Plain []byte right after "(" in
// raw SQL would be expanded by gorm to one placeholder for each byte, and nil
// would become NULL.
type blob []byte

// Value implements driver.Valuer.
func (b blob) Value() (driver.Value, error) {
	if b == nil {
		return []byte{}, nil
	}
	return []byte(b), nil
}

// notNull is bytes for a column that cannot be NULL, and orNil what they were.
func notNull(b []byte) []byte { return append([]byte{}, b...) }

func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// clean makes text from outside fit to store: PostgreSQL refuses a NUL and
// bytes that are not UTF-8, and a strange User-Agent must not fail a request.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// convert maps rows to what the domain calls them.
func convert[R, T any](rows []R, f func(R) T) []T {
	var out []T
	for _, r := range rows {
		out = append(out, f(r))
	}
	return out
}

// convertAll is convert for rows that may not read.
func convertAll[R, T any](rows []R, f func(R) (T, error)) ([]T, error) {
	var out []T
	for _, r := range rows {
		t, err := f(r)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// perStatement is how many rows one statement names or writes, well below the
// databases' limits on parameters.
const perStatement = 500

// texts are identifiers as arguments of a statement.
func texts[T ~string](ids []T) []string {
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
