# Who re-expands the manifold? The exact share of each example in the change of the squared radius, from the
# inversion of each run to the end of its training and, as a contrast, from its initial weights to the inversion.
# The change divides between the stragglers and the others.
expansion: $(OUT)/expansion/effects.json $(foreach w,before after,$(INVERTING:%=$(OUT)/expansion/%.$(w).png))

# The weights of every run at updates a tenth apart in ln t.
$(OUT)/expansion/%.history.safetensors $(OUT)/expansion/%.weights.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	$(TRAIN) $< --runs $(RUNS) $(TRAIN_$*) --weights $(OUT)/expansion/$*.weights.safetensors --weights-at log -o $(OUT)/expansion/$*.history.safetensors

EXPANSION = $(STRAG) expansion $(OUT)/expansion/$*.weights.safetensors $< --stragglers $(OUT)/expansion/$*.history.json
EXPANSION_NEEDS := $(DATA)/%.safetensors $(OUT)/expansion/%.weights.safetensors $(OUT)/expansion/%.history.json

$(OUT)/expansion/%.after.safetensors: $(EXPANSION_NEEDS)
	$(EXPANSION) --from inversion --to last -o $@

$(OUT)/expansion/%.before.safetensors: $(EXPANSION_NEEDS)
	$(EXPANSION) --from 0 --to inversion -o $@

$(OUT)/expansion/%.png: $(OUT)/expansion/%.safetensors
	$(DRAW) $< -o $@

# The summaries of all sets: keys such as mnist.after.own.stragglers.mean.
$(OUT)/expansion/effects.json: $(foreach w,before after,$(INVERTING:%=$(OUT)/expansion/%.$(w).safetensors))
	{ of=$(@D); between='{'; for set in $(INVERTING); do \
	  printf '%s"%s": {"before": %s, "after": %s}' "$$between" $$set \
	    "$$($(STRAG) info $$of/$$set.before.safetensors --get summary)" \
	    "$$($(STRAG) info $$of/$$set.after.safetensors --get summary)"; between=$$',\n '; \
	done; echo '}'; } > $@
