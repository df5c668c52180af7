package appshttp

import "causeway/internal/httpapi"

func (h *Handler) memberRoutes() httpapi.Endpoints { return httpapi.Endpoints{} }
