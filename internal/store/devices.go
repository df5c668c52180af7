package store

import (
	"time"

	"gorm.io/gorm"

	"causeway/oauth"
	"causeway/tenants"
)

type deviceRow struct {
	OrgID          string `gorm:"primaryKey"`
	ID             string `gorm:"primaryKey"`
	AccountID      string
	DeviceCode     []byte
	UserCode       []byte
	State          string
	CreatedAt      int64 `gorm:"autoCreateTime:false"`
	ExpiresAt      int64
	IntervalMicros int64
	LastPoll       int64
	Source         string
	Address        string
	UserAgent      string
}

func (deviceRow) TableName() string { return "device_requests" }

func (r deviceRow) device() oauth.DeviceRequest {
	return oauth.DeviceRequest{
		ID: r.ID, Org: tenants.OrgID(r.OrgID), Account: oauth.ClientID(r.AccountID),
		DeviceCode: r.DeviceCode, UserCode: r.UserCode, State: oauth.DeviceState(r.State),
		CreatedAt: fromMicros(r.CreatedAt), ExpiresAt: fromMicros(r.ExpiresAt),
		Interval: time.Duration(r.IntervalMicros) * time.Microsecond, LastPoll: fromMicros(r.LastPoll),
		Source: r.Source, Address: r.Address, UserAgent: r.UserAgent,
	}
}

// open keeps the requests that still wait for an answer or to be fetched.
func open(q *gorm.DB, now time.Time) *gorm.DB {
	return q.Where("state IN ('pending', 'granted') AND expires_at > ?", micros(now))
}

func (r *reader) DeviceByCode(org tenants.OrgID, code oauth.Digest) (oauth.DeviceRequest, error) {
	var row deviceRow
	err := take(r.of(org).Where("device_code = ?", blob(code)), &row)
	return row.device(), err
}

func (r *reader) DeviceByUserCode(org tenants.OrgID, code oauth.Digest, now time.Time) (oauth.DeviceRequest, error) {
	var row deviceRow
	err := take(open(r.of(org).Where("user_code = ?", blob(code)), now), &row)
	return row.device(), err
}

func (r *reader) OpenDevices(org tenants.OrgID, account oauth.ClientID, now time.Time) ([]oauth.DeviceRequest, error) {
	var rows []deviceRow
	q := open(r.of(org).Where("account_id = ?", string(account)), now).Order("created_at, id")
	err := fault(q.Find(&rows).Error)
	return convert(rows, deviceRow.device), err
}

// OpenDevices in a transaction also holds the account, so that a cap judged by
// the answer still holds when the next request is created.
func (t *tx) OpenDevices(org tenants.OrgID, account oauth.ClientID, now time.Time) ([]oauth.DeviceRequest, error) {
	if err := t.LockServiceAccount(org, account); err != nil {
		return nil, err
	}
	return t.reader.OpenDevices(org, account, now)
}

func newDeviceRow(d oauth.DeviceRequest) deviceRow {
	return deviceRow{
		OrgID: string(d.Org), ID: d.ID, AccountID: string(d.Account), DeviceCode: d.DeviceCode, UserCode: d.UserCode,
		State: string(d.State), CreatedAt: micros(d.CreatedAt), ExpiresAt: micros(d.ExpiresAt),
		IntervalMicros: d.Interval.Microseconds(), LastPoll: micros(d.LastPoll),
		Source: clean(d.Source), Address: clean(d.Address), UserAgent: clean(d.UserAgent),
	}
}

func (t *tx) CreateDevice(d oauth.DeviceRequest) error {
	row := newDeviceRow(d)
	return t.create(&row)
}

func (t *tx) LockDevice(org tenants.OrgID, code oauth.Digest) (oauth.DeviceRequest, error) {
	var row deviceRow
	err := take(forUpdate(t.of(org)).Where("device_code = ?", blob(code)), &row)
	return row.device(), err
}

func (t *tx) SetPolled(org tenants.OrgID, id string, at time.Time, interval time.Duration) error {
	return t.must(t.of(org).Model(&deviceRow{}).Where("id = ?", id).UpdateColumns(map[string]any{
		"last_poll": micros(at), "interval_micros": interval.Microseconds(),
	}))
}

func (t *tx) MoveDevice(org tenants.OrgID, id string, from, to oauth.DeviceState, now time.Time) (bool, error) {
	n, err := t.wrote(t.of(org).Model(&deviceRow{}).
		Where("id = ? AND state = ? AND expires_at > ?", id, string(from), micros(now)).
		UpdateColumn("state", string(to)))
	return n == 1, err
}

func (t *tx) CloseDevices(org tenants.OrgID, account oauth.ClientID, except string) error {
	_, err := t.wrote(t.of(org).Model(&deviceRow{}).
		Where("account_id = ? AND state IN ('pending', 'granted') AND id <> ?", string(account), except).
		UpdateColumn("state", string(oauth.DeviceDead)))
	return err
}
