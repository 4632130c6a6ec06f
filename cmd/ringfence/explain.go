package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ringfence/ringfence/pci"
)

func explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "what an item of the checklist demands, how it is decided, and how it is decided in this project", ArgsUsage: "ITEM [PROJECT]",
		Flags:  append(append(loadFlags(), outputFlag()), formatFlag("text", "json")),
		Action: runExplain,
	}
}

func runExplain(c *cli.Context) error {
	form, err := format(c, "text", "json")
	if err != nil {
		return err
	}
	criterion, err := criterionOf(c.Args().First())
	if err != nil {
		return err
	}
	if c.NArg() < 2 && len(c.StringSlice("i")) == 0 {
		if _, missing := os.Stat(intentName); errors.Is(missing, fs.ErrNotExist) {
			if form == "json" {
				return usage("explain --format json needs a project: there is no ringfence.yaml here")
			}
			return emit(c, pci.CriterionText(criterion, textOptions(c, c.String("o") != "")))
		}
	}
	if criterion.Check == nil {
		return usage("item %s is not decided by this version", criterion.ID)
	}
	s, err := solveItems(c, 1, criterion)
	if err != nil {
		return err
	}
	item, err := pci.NewEvidence(s.Solution, s.facts).Item(criterion)
	if err != nil {
		return err
	}
	if form == "json" {
		data, err := pci.ItemJSON(item)
		if err != nil {
			return err
		}
		return emit(c, data)
	}
	return emit(c, pci.ItemText(item, textOptions(c, c.String("o") != "")))
}

// criterionOf finds an item by the ID that a user types.
func criterionOf(id string) (pci.Criterion, error) {
	all := pci.Catalogue()
	var ids, near []string
	for _, x := range all {
		if x.ID == id {
			return x, nil
		}
		ids = append(ids, x.ID)
		if strings.HasPrefix(x.ID, id) && id != "" {
			near = append(near, x.ID)
		}
	}
	switch {
	case id == "":
		return pci.Criterion{}, usage("an item is missing: want one of %s", strings.Join(ids, ", "))
	case len(near) > 0:
		return pci.Criterion{}, usage("there is no item `%s`; there are %s", id, strings.Join(near, ", "))
	}
	return pci.Criterion{}, usage("there is no item `%s`; want one of %s", id, strings.Join(ids, ", "))
}
