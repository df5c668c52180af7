// Package services owns what stands behind the gateway: service instances, the
// right that each of their paths asks for, and how a request is handed to them.
// It does not decide who the caller is nor whether they hold the right.
package services
