package solver

import (
	"fmt"

	"github.com/ringfence/ringfence/model"
)

// TagList names the published list of service tags that answers stand on (AZ-TAG-09). The lists change every week.
type TagList struct {
	ChangeNumber int    `json:"changeNumber"`
	Cloud        string `json:"cloud"`
	Source       string `json:"source"`
}

// ServiceTags names the list that the project has; nil where it has none and tags are symbols.
func (s *Solution) ServiceTags() *TagList { return TagListOf(s.Project) }

// TagListOf is the list of service tags of a project, nil where it has none.
func TagListOf(p *model.Project) *TagList {
	t := p.Tags
	if t == nil {
		return nil
	}
	return &TagList{ChangeNumber: t.ChangeNumber, Cloud: t.Cloud, Source: t.Source.File}
}

// String names the list as text reports do.
func (t *TagList) String() string {
	return model.Visible(fmt.Sprintf("service tags of list %d, cloud %s (%s)", t.ChangeNumber, t.Cloud, t.Source))
}
