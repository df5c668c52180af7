package tenants

// Remembered is the organization with this name as far as memory knows, else
// empty: for what strangers can cause so often that it must not ask the database.
func (d *Directory) Remembered(name string) OrgID {
	id, _ := d.byName.Get(FoldName(name))
	return id
}
