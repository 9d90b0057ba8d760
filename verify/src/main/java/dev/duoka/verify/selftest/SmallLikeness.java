package dev.duoka.verify.selftest;

import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.NamePatterns;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Precision;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run of the same kind as another and on the same mesh, so small that it takes seconds: fewer
 * layers, but one for each stage and of each kind; small widths, vocabulary and numbers of experts
 * that divide as the large ones do; short sequences. With the run's adapter, if it has one, beside
 * a base in the same form.
 *
 * @param run the run that it is like
 * @param model of that run
 */
record SmallLikeness(RunConfig run, ModelConfig model) {
  private static final int VOCABULARY = 256;
  private static final int WIDTH = 64;
  private static final int HEAD = 16;
  private static final int EXPERTS = 8;
  private static final int SHORTEST = 64;

  /** Products in 8 bits need multiples of this. */
  private static final int FP8_UNIT = 128;

  private ParallelSettings parallel() {
    return run.parallel();
  }

  /**
   * Whether the last bits decide something: which expert a token goes to, or whether a weight
   * without a master becomes its upper or its lower neighbour.
   */
  boolean roundingChooses(Precision precision) {
    boolean ofWeights = keepsStates(precision) && !run.memory().masterWeights();
    return model.moe() != null || ofWeights;
  }

  /**
   * Whether states are compared in the run's form: what is compared closely is not to be rounded.
   */
  private static boolean keepsStates(Precision precision) {
    return precision == Precision.BF16 || precision == Precision.FP8;
  }

  /** The small model. */
  ModelConfig smallModel() {
    AttentionConfig attention = attention();
    boolean headsAreWidth = model.architecture().modelType().equals("deepseek");
    int unit = run.training().precision() == Precision.FP8 ? FP8_UNIT : WIDTH;
    ModelConfig small =
        new ModelConfig(
            model.architecture(),
            VOCABULARY,
            headsAreWidth ? attention.heads() * HEAD : unit,
            layers(),
            model.maxPositions(),
            model.rmsNormEps(),
            model.initializerRange(),
            model.tieEmbeddings(),
            attention,
            model.rope(),
            unit * parallel().tensor(),
            experts(),
            Math.min(model.mtpModules(), 1),
            1,
            2);
    return small.with(adapter());
  }

  /** What is trained beside a base in the same form; names that mean certain layers mean all. */
  private @Nullable AdapterConfig adapter() {
    AdapterConfig its = model.adapter();
    return its == null || !its.mayTellLayersApart()
        ? its
        : AdapterConfig.lora(its.rank(), its.alpha(), new NamePatterns.AllLinear())
            .on(its.baseForm());
  }

  /** At least one for each stage, and where a model has both, dense ones and one with experts. */
  private int layers() {
    int stages = RankBuilder.pipeline(parallel()).stages(parallel().pipeline());
    MoeConfig moe = model.moe();
    int kinds = moe == null ? 1 : Math.min(moe.firstDenseLayers(), 1) + moe.layerFrequency();
    return Math.min(model.layers(), Math.max(stages, Math.max(2, kinds)));
  }

  private AttentionConfig attention() {
    int tensor = parallel().tensor();
    return switch (model.attention()) {
      case AttentionConfig.GroupedQuery heads -> {
        int keys = Math.min(heads.kvHeads(), Math.max(tensor, 2));
        int ofKey = Math.min(heads.heads() / heads.kvHeads(), 2);
        yield new AttentionConfig.GroupedQuery(
            Math.max(keys * ofKey, tensor), keys, HEAD, heads.bias(), heads.headNorms());
      }
      case AttentionConfig.MultiHeadLatent heads ->
          new AttentionConfig.MultiHeadLatent(
              Math.max(tensor, 2),
              heads.compressesQueries() ? WIDTH / 2 : 0,
              WIDTH / 2,
              HEAD,
              HEAD,
              HEAD);
    };
  }

  private @Nullable MoeConfig experts() {
    MoeConfig moe = model.moe();
    if (moe == null) {
      return null;
    }
    int groups = moe.groups() > 1 ? 2 : 1;
    int experts = parallel().expert();
    while (experts < EXPERTS || experts % groups != 0) {
      experts += parallel().expert();
    }
    boolean fewAnyway = moe.routedExperts() <= experts;
    return new MoeConfig(
        fewAnyway ? moe.routedExperts() : experts,
        fewAnyway ? moe.expertsPerToken() : Math.min(moe.expertsPerToken(), 2),
        Math.min(moe.sharedExperts(), 1),
        Math.ceilDiv(WIDTH / 2, parallel().tensor()) * parallel().tensor(),
        Math.min(moe.firstDenseLayers(), 1),
        moe.layerFrequency(),
        moe.scoring(),
        moe.selection(),
        fewAnyway ? moe.groups() : groups,
        fewAnyway ? moe.topkGroups() : Math.min(moe.topkGroups(), groups),
        moe.normalizeTopk(),
        moe.scalingFactor(),
        moe.auxLossAlpha(),
        moe.sequenceAuxLoss());
  }

  /** Tokens of a sequence: they divide into context chunks, and those among the tensor ranks. */
  int length() {
    int unit = 2 * parallel().context() * parallel().tensor();
    return Math.ceilDiv(SHORTEST, unit) * unit;
  }

  /** Sequences of a micro-batch. */
  int microBatch() {
    return 2;
  }

  /** Micro-batches of a data-parallel rank: rounds of the pipeline, or what a table is made for. */
  int accumulation() {
    boolean table = parallel().schedule().file().isPresent();
    return table ? run.layout().accumulation() : Math.max(2, parallel().pipeline());
  }

  /** The run on its mesh. */
  RunConfig onItsMesh(Precision precision) {
    List<String> changes = new ArrayList<>(List.of("parallel.stages=[]"));
    MoeConfig moe = model.moe();
    if (moe != null && parallel().expert() > 1) {
      // Fewer experts would have tokens go there in another way.
      changes.add("parallel.dispatcher=" + parallel().dispatcherOf(moe));
    }
    return changed(precision, changes);
  }

  /** The same work on one rank that keeps everything. */
  RunConfig onOneRank(Precision precision) {
    return changed(
        precision,
        List.of(
            "parallel={}",
            "training.recompute=none",
            "memory.offload=none",
            "memory.offload_update=device",
            "memory.offload_fraction=1",
            "memory.gradients=fp32"));
  }

  private RunConfig changed(Precision precision, List<String> more) {
    List<String> changes = new ArrayList<>();
    changes.add("data.sequence_length=" + length());
    changes.add("training.micro_batch=" + microBatch());
    changes.add(
        "training.tokens_per_step="
            + (long) length() * microBatch() * accumulation() * parallel().data());
    changes.add("training.precision=" + precision);
    if (!keepsStates(precision)) {
      changes.add("memory.moments=fp32");
      changes.add("memory.master_weights=true");
      changes.add("memory.gradients=fp32");
    }
    if (!precision.scalesLoss()) {
      changes.add("loss_scale=null");
    }
    changes.addAll(more);
    return RunFile.parse("the small likeness of the run", RunFile.write(run), changes);
  }
}
