# What sets t*? The update of the inversion times the learning rate, measured at points that differ in their inputs
# and groups, beside what the spectra of inputs and Hessian predict. `--until decided` ends each run at 4 t*.
TSTAR_RUNS := 5
TSTAR_TRAIN := --runs $(TSTAR_RUNS) --until decided --epochs 20000

# Other groups, sizes and shapes: each a name, what `strag data` reads, and the learning rate.
TASKS := mnist-block2 mnist-halves mnist-zero mnist-eight mnist-ten mnist-3-8 mnist-14 mnist-flipped \
  fashion-block2 fashion-halves fashion-shirts fashion-ten fashion-0-6 fashion-14 \
  kmnist-halves kmnist-ten fliers $(TSTAR_SETS:%=%-2048)
TASK_mnist-block2 = $(MNIST) --labels parity --size 8192 --block 2
TASK_mnist-halves = $(MNIST) --labels 0-4/5-9 --size 8192
TASK_mnist-zero = $(MNIST) --labels 0/1-9 --size 8192
TASK_mnist-eight = $(MNIST) --labels 8/0-7,9 --size 8192
TASK_mnist-ten = $(MNIST) --labels classes --size 8192
TASK_mnist-3-8 = $(MNIST) --classes 3,8 --labels 3/8 --size 8192
TASK_mnist-14 = $(MNIST) --labels parity --size 8192 --resize 14x14
TASK_mnist-flipped = $(MNIST) --labels parity --size 8192 --flip-labels 0.05
TASK_fashion-block2 = $(FASHION) --labels parity --size 8192 --block 2
TASK_fashion-halves = $(FASHION) --labels 0-4/5-9 --size 8192
TASK_fashion-shirts = $(FASHION) --labels 6/0-5,7-9 --size 8192
TASK_fashion-ten = $(FASHION) --labels classes --size 8192
TASK_fashion-0-6 = $(FASHION) --classes 0,6 --labels 0/6 --size 8192
TASK_fashion-14 = $(FASHION) --labels parity --size 8192 --resize 14x14
TASK_kmnist-halves = $(KMNIST) --labels 0-4/5-9 --size 8192
TASK_kmnist-ten = $(KMNIST) --labels classes --size 8192
TASK_fliers = $(CIFAR) --gray --labels 0,8/1-7,9 --size 8192
$(foreach s,$(TSTAR_SETS),$(eval TASK_$(s)-2048 = $(DATA)/$(s).safetensors --size 2048))
TASK_RATE = $(if $(filter vehicles% fliers,$(1)),0.02,$(if $(filter %-ten,$(1)),0.2,0.1))

# Other inputs: what inputs.py changes, and the learning rate as a multiple of that of the set.
CHANGES := double half one power
CHANGE_double := --scale 2
CHANGE_half := --scale 0.5
CHANGE_one := --one-std
CHANGE_power := --power 0.5
TIMES_double := 0.25
TIMES_half := 2
TIMES_one := 1
TIMES_power := 1
CHANGED := $(foreach c,$(CHANGES),$(TSTAR_SETS:%=%-$(c)))

POINTS := $(TSTAR_SETS) $(CHANGED) $(TASKS)
AT := $(OUT)/tstar

tstar: $(OUT)/tstar.json $(OUT)/tstar.png

$(TSTAR_SETS:%=$(AT)/data/%.safetensors): $(AT)/data/%.safetensors: $(DATA)/%.safetensors
	mkdir -p $(@D)
	cp $< $@

$(TSTAR_SETS:%=$(AT)/data/%-2048.safetensors): $(AT)/data/%-2048.safetensors: $(DATA)/%.safetensors
$(TASKS:%=$(AT)/data/%.safetensors): $(AT)/data/%.safetensors:
	mkdir -p $(@D)
	$(STRAG) data $(TASK_$*) -o $@

define CHANGED_INPUTS
$(TSTAR_SETS:%=$(AT)/data/%-$(1).safetensors): $(AT)/data/%-$(1).safetensors: $(AT)/data/%.safetensors inputs.py
	$(PYTHON) inputs.py $$< $$@ $(CHANGE_$(1))
$(TSTAR_SETS:%=$(AT)/%-$(1).safetensors): $(AT)/%-$(1).safetensors: $(AT)/data/%-$(1).safetensors
	$(TRAIN) $$< $(TSTAR_TRAIN) --lr $$$$(awk 'BEGIN { print $(TIMES_$(1)) * $$(LR_$$*) }') -o $$@
endef
$(foreach c,$(CHANGES),$(eval $(call CHANGED_INPUTS,$(c))))

$(TSTAR_SETS:%=$(AT)/%.safetensors): $(AT)/%.safetensors: $(AT)/data/%.safetensors
	$(TRAIN) $< $(TSTAR_TRAIN) --lr $(LR_$*) -o $@

$(TASKS:%=$(AT)/%.safetensors): $(AT)/%.safetensors: $(AT)/data/%.safetensors
	$(TRAIN) $< $(TSTAR_TRAIN) --lr $(call TASK_RATE,$*) -o $@

# What each point's spectrum predicts, then all points together. The first eight chose the candidates that are shown.
$(POINTS:%=$(AT)/%.spectrum.json): $(AT)/%.spectrum.json: $(AT)/data/%.safetensors $(AT)/%.json spectrum_modes.py spectrum_flows.py
	$(PYTHON) spectrum.py point $< $(AT)/$*.json -o $@

$(OUT)/tstar.json $(OUT)/tstar.png &: $(POINTS:%=$(AT)/%.spectrum.json) spectrum.py spectrum_picture.py
	$(PYTHON) spectrum.py together $(POINTS:%=$(AT)/%.spectrum.json) -o $(OUT)/tstar.json --picture $(OUT)/tstar.png
