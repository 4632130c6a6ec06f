package solver

import "github.com/ringfence/ringfence/model"

// Variant solves another estate with the same intent, lists and options: what would hold if some resources were others. Errors are those
// of Solve.
func (s *Solution) Variant(e *model.Estate) (*Solution, error) {
	p := *s.Project
	p.Estate = e
	return Solve(&p, s.o)
}
