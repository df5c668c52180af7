package apps

import (
	"slices"
	"strconv"
	"time"

	"causeway/internal/problem"
	"causeway/portal/ui"
)

// lives are those of access tokens to choose from.
var lives = []time.Duration{5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 5 * time.Hour}

// overlaps are how long an old secret can work beside a new one.
var overlaps = []time.Duration{time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour}

// spans offers durations, with the present one if it is another. zero is what none
// means; empty offers none.
func spans(s *ui.Screen, list []time.Duration, now time.Duration, zero string) (options []ui.Option) {
	if now > 0 && !slices.Contains(list, now) {
		list = append([]time.Duration{now}, list...)
	}
	if zero != "" {
		options = append(options, ui.Option{Value: "0", Label: zero, Chosen: now == 0})
	}
	for _, d := range list {
		options = append(options, ui.Option{Value: strconv.Itoa(int(d.Seconds())), Label: span(s, d), Chosen: d == now})
	}
	return options
}

// span is a duration in the largest unit that it is a whole number of.
func span(s *ui.Screen, d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		key  string
	}{{24 * time.Hour, "apps.days"}, {time.Hour, "apps.hours"}, {time.Minute, "apps.minutes"}} {
		if d%u.unit == 0 {
			return s.Count(u.key, int(d/u.unit))
		}
	}
	return s.Count("apps.seconds", int(d.Seconds()))
}

// until is the choice of when roles that are given end.
func until(s *ui.Screen, chosen string) ui.Field {
	f := ui.Field{Kind: ui.Choice, Name: "until", Label: s.T("apps.until"), Hint: s.T("apps.until.hint")}
	for _, days := range []int{0, 1, 7, 30, 90, 365} {
		o := ui.Option{Value: strconv.Itoa(days), Label: s.T("apps.until.never")}
		if days > 0 {
			o.Label = s.Count("apps.until.days", days)
		}
		o.Chosen = o.Value == chosen
		f.Options = append(f.Options, o)
	}
	return f
}

// end is when what until says is over; zero is never.
func (p Pages) end(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	days, err := strconv.Atoi(text)
	if err != nil || days < 0 || days > 3650 {
		return time.Time{}, problem.New(problem.BadRequest, "%.20q is no number of days.", text).In("until")
	}
	if days == 0 {
		return time.Time{}, nil
	}
	return p.Now().UTC().Truncate(time.Second).AddDate(0, 0, days), nil
}
