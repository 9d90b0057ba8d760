package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.GenerationMemory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Ranks that share a model out in order to write: along tensor, pipeline and expert.
 *
 * @param parallel axes, stages and what carries tensors
 * @param placement a device for each rank
 */
record WritingMesh(ParallelSettings parallel, DevicePlacement placement) {
  private static final String NAME = "this mesh";

  /** A number that every number up to 16 divides. */
  private static final int DIVIDED = 720_720;

  /**
   * The ranks that somebody asks for.
   *
   * @throws DuokaException with each field that only training heeds
   */
  static WritingMesh of(ParallelSettings parallel, DevicePlacement placement) {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put("zero", parallel.zero() > 0);
    given.put("replicate", parallel.replicate() > 1);
    given.put("blocks_per_bucket", parallel.blocksPerBucket() > 1);
    given.put("schedule", !parallel.schedule().isDefault());
    given.put("stages_per_rank", parallel.stagesPerRank().orElse(1) > 1);
    List<FieldProblem> problems = new ArrayList<>();
    given.forEach(
        (field, isGiven) -> {
          if (isGiven) {
            problems.add(
                new FieldProblem(
                    "parallel." + field,
                    "parallel." + field + " is for training: writing text has no use for it",
                    "Remove it; tensor, pipeline and expert share the weights out."));
          }
        });
    FieldProblem.throwIfAny(NAME, problems);
    return new WritingMesh(parallel, placement);
  }

  /**
   * Refuses a mesh that a model does not admit.
   *
   * @throws DuokaException with what is in the way
   */
  void require(ModelConfig model) {
    FieldProblem.throwIfAny(NAME, problems(model));
  }

  private List<FieldProblem> problems(ModelConfig model) {
    if (parallel.context() > 1) {
      return List.of(
          new FieldProblem(
              "parallel.context",
              "parallel.context is "
                  + parallel.context()
                  + ", but a text is written token by token, which cannot be cut into chunks",
              "Give those ranks to tensor or pipeline"));
    }
    Layout layout =
        new Layout(
            parallel.data(),
            parallel.tensor(),
            parallel.pipeline(),
            parallel.expert(),
            1,
            0,
            1,
            1,
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.FP32,
            Method.FULL);
    // Rows are on every rank: any length will do, and one that all ranks divide is not refused.
    return LayoutCheck.of(model, layout, DIVIDED, OptionalInt.empty(), parallel.stages()).stream()
        .map(it -> new FieldProblem("parallel." + it.axis(), it.problem(), it.remedy()))
        .toList();
  }

  /** The ranks by their axes. */
  Mesh mesh() {
    return new Mesh(
        parallel.pipeline(), 1, parallel.data(), 1, parallel.tensor(), parallel.expert());
  }

  /** Of weights and activations: bf16 on GPUs, where it is fast, fp32 on the CPU. */
  Dtype dtype() {
    return placement.isOnGpus() ? Dtype.BFLOAT16 : Dtype.FLOAT32;
  }

  /** What a model takes on the devices. */
  GenerationMemory memory(ModelConfig model) {
    return new GenerationMemory(model, dtype(), mesh(), parallel.stages(), placement.devices());
  }
}
