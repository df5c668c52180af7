package tenants

// Query selects one page of a list. Where and SortBy name columns of the list
// and come from an allow-list, never from a request; the store refuses others.
type Query struct {
	Where    string // condition with ? for each of Args, compiled from FIQL
	Args     []any
	SortBy   string // empty sorts as the list is usually read
	Desc     bool
	Page     int // from 1
	PageSize int
	// Total, where it is known already, is not counted again; for lists that
	// are not filtered.
	Total int
	// Most is how many rows to count, and to page through; one more in the total
	// says that there are others. 0 is all.
	Most int
}
