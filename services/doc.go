// Package services owns what stands behind the gateway: kinds of service and what
// they can allow, running instances of organizations, and who holds which roles in
// them. How requests get to an instance is for package upstream.
package services
