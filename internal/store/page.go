package store

import (
	"slices"
	"strconv"
	"strings"

	"causeway/internal/problem"
	"causeway/tenants"
)

// listing is a list that clients page through, filter and sort.
type listing struct {
	// base selects the rows that may be seen, with args. It is wrapped in a
	// subselect that shows only columns, so that not even a faulty condition
	// names another column or, by an OR, another organization.
	base    string
	args    []any
	columns string
	hidden  string // columns that are read but cannot be named, if any
	order   string // how the list is usually read: a unique order
	unique  string // columns that make any other order unique
	most    int    // rows to count and to page through; 0 is all
}

// page reads one page of l and counts the rows on all pages.
func page[R any](r *reader, l listing, q tenants.Query) ([]R, int, error) {
	counting := l.most
	if q.Most != 0 && (l.most == 0 || q.Most < l.most) {
		l.most, counting = q.Most, q.Most+1
	}
	order, err := l.orderBy(q)
	if err != nil {
		return nil, 0, err
	}
	from := " FROM (" + l.base + ") a"
	counted := " FROM (SELECT " + l.columns + from + ") a"
	if l.hidden != "" {
		from = " FROM (SELECT " + l.columns + ", " + l.hidden + from + ") a"
	} else {
		from = counted
	}
	where, args := "", slices.Clone(l.args)
	if q.Where != "" {
		where = " WHERE (" + q.Where + ")"
		args = append(args, q.Args...)
	}
	total := q.Total
	if total == 0 || q.Where != "" {
		if err := r.db.Raw(count(counted+where, counting), args...).Find(&total).Error; err != nil {
			return nil, 0, fault(err)
		}
	}
	if (q.Page-1)*q.PageSize >= total {
		return []R{}, total, nil
	}
	var rows []R
	part, more := limit(q)
	err = r.db.Raw("SELECT *"+from+where+order+part, append(args, more...)...).Find(&rows).Error
	return rows, total, fault(err)
}

// limit is written out for first pages, and for lists of which only so many are paged
// through: a plan that serves any limit expects a tenth of all rows, and PostgreSQL
// would rather sort them all than follow an index. For others it is not, so that
// nobody makes up more statements than connections keep prepared.
func limit(q tenants.Query) (text string, args []any) {
	size, offset := strconv.Itoa(q.PageSize), (q.Page-1)*q.PageSize
	switch {
	case offset == 0:
		return " LIMIT " + size, nil
	case q.Most != 0:
		return " LIMIT " + size + " OFFSET " + strconv.Itoa(offset), nil
	}
	return " LIMIT ? OFFSET ?", []any{q.PageSize, offset}
}

// count is the statement that counts what is selected, no further than most, if that
// is not 0: a long list costs as much to count as to read.
func count(selected string, most int) string {
	if most == 0 {
		return "SELECT count(*)" + selected
	}
	return "SELECT count(*) FROM (SELECT 1" + selected + " LIMIT " + strconv.Itoa(most) + ") a"
}

// orderBy is the ORDER BY of a query, which it also checks.
func (l listing) orderBy(q tenants.Query) (string, error) {
	if strings.Count(q.Where, "?") != len(q.Args) {
		return "", problem.New(problem.BadRequest, "The filter cannot be understood.")
	}
	if q.Page < 1 || q.PageSize < 1 || q.Page > 1<<30/q.PageSize {
		return "", problem.New(problem.BadRequest, "There is no such page.")
	}
	if l.most != 0 && (q.Page-1)*q.PageSize >= l.most {
		return "", problem.New(problem.BadRequest, "The list goes no further than %d: narrow the filter.", l.most)
	}
	if q.SortBy == "" {
		return " ORDER BY " + l.order, nil
	}
	if !slices.Contains(strings.Split(l.columns, ", "), q.SortBy) {
		return "", problem.New(problem.BadRequest, "The list cannot be sorted by this.")
	}
	direction := ""
	if q.Desc {
		direction = " DESC"
	}
	if q.SortBy == l.unique {
		return " ORDER BY " + q.SortBy + direction, nil
	}
	return " ORDER BY " + q.SortBy + direction + ", " + l.unique + direction, nil
}
