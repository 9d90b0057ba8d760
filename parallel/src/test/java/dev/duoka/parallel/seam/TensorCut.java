package dev.duoka.parallel.seam;

import dev.duoka.comm.Communicator;
import dev.duoka.engine.autograd.Function;
import dev.duoka.engine.autograd.SavedTensors;
import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.function.LatentHeads;
import dev.duoka.engine.function.Linear;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.Section;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.Elementwise;
import dev.duoka.tensor.op.Views;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Tensor parallelism as Megatron-LM first had it (Shoeybi et al., arXiv:1909.08053 §3), made of the
 * axes that weights declare and of substitutes for linear layers: heads and feed-forward widths are
 * cut, everything else is on every rank. Routed experts stay whole.
 */
final class TensorCut implements Substitution {
  private static final Set<Axis> CUT = Set.of(Axis.HEADS, Axis.KEY_VALUE_HEADS, Axis.FEED_FORWARD);

  private final Communicator group;

  TensorCut(Communicator group) {
    this.group = group;
  }

  /** What of a weight a rank holds. */
  ParameterSpec part(ParameterSpec whole) {
    if (whole.has(Axis.EXPERTS)) {
      return whole;
    }
    return new ParameterSpec(
        whole.name(),
        whole.sections().stream()
            .map(dimension -> dimension.stream().map(this::part).toList())
            .toList(),
        whole.initializer(),
        whole.block());
  }

  private Section part(Section section) {
    if (!CUT.contains(section.axis())) {
      return section;
    }
    assert section.count() % group.size() == 0 : section + " over " + group.size() + " ranks";
    return new Section(section.axis(), section.count() / group.size(), section.unit());
  }

  /** Copies this rank's part of a whole weight. */
  void copyPart(Parameter whole, Parameter mine) {
    Tensor part = whole.value().share();
    if (!whole.spec().has(Axis.EXPERTS)) {
      for (int dim = 0; dim < whole.spec().sections().size(); dim++) {
        part = cut(part, dim, whole.spec().sections().get(dim));
      }
    }
    Copies.into(mine.value(), part);
  }

  private Tensor cut(Tensor tensor, int dim, List<Section> sections) {
    List<Tensor> parts = new ArrayList<>();
    long start = 0;
    for (Section section : sections) {
      long length = part(section).length();
      long offset = length == section.length() ? 0 : group.rank() * length;
      parts.add(Views.narrow(tensor, dim, start + offset, length));
      start += section.length();
    }
    return Copies.concatenate(dim, parts.toArray(Tensor[]::new));
  }

  @Override
  public Function of(Function function) {
    if (function instanceof LatentHeads heads) {
      return new ByHeads(heads);
    }
    if (function instanceof Linear linear) {
      ParameterSpec spec = linear.parameters().getFirst().spec();
      if (isCut(spec, 0)) {
        return new ByRows(linear);
      }
      if (isCut(spec, 1)) {
        return new ByColumns(linear);
      }
    }
    return function;
  }

  private static boolean isCut(ParameterSpec spec, int dimension) {
    return spec.sections().get(dimension).stream().anyMatch(it -> CUT.contains(it.axis()));
  }

  /**
   * Latent attention's heads: the rotated part of the key is one for all of them, so its gradient
   * is a sum over the ranks. Those of queries, keys and values are each rank's own.
   */
  private final class ByHeads extends Function {
    private final LatentHeads heads;

    ByHeads(LatentHeads heads) {
      this.heads = heads;
    }

    @Override
    public String name() {
      return heads.name();
    }

    @Override
    public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
      return heads.forward(saved, inputs);
    }

    @Override
    public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      @Nullable Tensor[] gradients = heads.inputGradients(saved, gradOutputs);
      Tensor rotatedPart = gradients[2];
      if (rotatedPart != null) {
        group.allReduce(rotatedPart).join();
      }
      return gradients;
    }
  }

  /** A linear layer whose output is cut: the input's gradient is a sum over the ranks. */
  private final class ByRows extends Function {
    private final Linear linear;

    ByRows(Linear linear) {
      this.linear = linear;
    }

    @Override
    public String name() {
      return linear.name();
    }

    @Override
    public List<Parameter> parameters() {
      return linear.parameters();
    }

    @Override
    public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
      return linear.forward(saved, inputs);
    }

    @Override
    public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      @Nullable Tensor[] gradients = linear.inputGradients(saved, gradOutputs);
      Tensor gradient = gradients[0];
      if (gradient != null) {
        group.allReduce(gradient).join();
      }
      return gradients;
    }

    @Override
    public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      linear.weightGradients(saved, gradOutputs);
    }
  }

  /** A linear layer whose input is cut: the output is a sum over the ranks, plus the residual. */
  private final class ByColumns extends Function {
    private final Linear linear;

    ByColumns(Linear linear) {
      this.linear = linear;
    }

    @Override
    public String name() {
      return linear.name();
    }

    @Override
    public List<Parameter> parameters() {
      return linear.parameters();
    }

    @Override
    public Tensor[] forward(SavedTensors saved, Tensor... inputs) {
      Tensor sum = linear.forward(saved, inputs[0])[0];
      group.allReduce(sum).join();
      return new Tensor[] {inputs.length == 2 ? Elementwise.add(sum, inputs[1]) : sum};
    }

    @Override
    public @Nullable Tensor[] inputGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      return linear.inputGradients(saved, gradOutputs);
    }

    @Override
    public void weightGradients(SavedTensors saved, @Nullable Tensor[] gradOutputs) {
      linear.weightGradients(saved, gradOutputs);
    }
  }
}
