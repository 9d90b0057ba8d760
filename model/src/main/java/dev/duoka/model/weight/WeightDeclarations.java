package dev.duoka.model.weight;

import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.engine.parameter.Section;
import dev.duoka.tensor.Dtype;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * Collects the weights that the layers of a model declare, in the order of the forward pass, so
 * that the engine can lay all of them into flat buffers.
 */
public final class WeightDeclarations {
  private final double standardDeviation;
  private final List<Weight> weights = new ArrayList<>();
  private final List<StateBuffer> buffers = new ArrayList<>();
  private int block;

  /** Declarations whose matrices start normally distributed with this standard deviation. */
  public WeightDeclarations(double standardDeviation) {
    this.standardDeviation = standardDeviation;
  }

  /** What is declared from now on belongs to this block of the model. */
  public void enter(int block) {
    this.block = block;
  }

  /** A matrix {@code [rows, columns]} that is one tensor of the checkpoint. */
  public Weight matrix(String checkpointName, Section rows, Section columns) {
    return stackedRows(checkpointName, columns, new Rows(checkpointName, rows));
  }

  /** Rows of a matrix that are a tensor of their own in the checkpoint. */
  public record Rows(String checkpointName, List<Section> sections) {
    /** Rows of one kind. */
    public Rows(String checkpointName, Section section) {
      this(checkpointName, List.of(section));
    }

    long count() {
      return sections.stream().mapToLong(Section::length).sum();
    }
  }

  /**
   * A matrix that is made of several tensors of the checkpoint, one below the other.
   *
   * @param name our name of the whole
   */
  public Weight stackedRows(String name, Section columns, Rows... parts) {
    List<CheckpointTensor> tensors = new ArrayList<>();
    long rows = 0;
    for (Rows part : parts) {
      tensors.add(
          new CheckpointTensor(
              part.checkpointName(),
              rows * columns.length(),
              List.of(part.count(), columns.length())));
      rows += part.count();
    }
    return add(name, List.of(sections(parts), List.of(columns)), normal(), tensors);
  }

  /**
   * One matrix per expert, {@code [experts, rows, columns]}, each made of tensors of the checkpoint
   * whose names have the expert's number in place of {@code %d}.
   */
  public Weight experts(String name, int experts, Section columns, Rows... parts) {
    List<CheckpointTensor> tensors = new ArrayList<>();
    long offset = 0;
    for (int expert = 0; expert < experts; expert++) {
      for (Rows part : parts) {
        tensors.add(
            new CheckpointTensor(
                part.checkpointName().replace("%d", Integer.toString(expert)),
                offset,
                List.of(part.count(), columns.length())));
        offset += part.count() * columns.length();
      }
    }
    return add(
        name,
        List.of(List.of(Section.of(Axis.EXPERTS, experts)), sections(parts), List.of(columns)),
        normal(),
        tensors);
  }

  private static List<Section> sections(Rows... parts) {
    return Arrays.stream(parts).flatMap(part -> part.sections().stream()).toList();
  }

  private Initializer normal() {
    return new Initializer.Normal(standardDeviation);
  }

  /** The scale of a norm, {@code [width]}, ones at the start. */
  public Weight scale(String checkpointName, Section width) {
    return add(
        checkpointName,
        List.of(List.of(width)),
        new Initializer.Constant(1),
        List.of(new CheckpointTensor(checkpointName, 0, List.of(width.length()))));
  }

  /**
   * What is added to the outputs of a stacked matrix, {@code [rows]}, zeros at the start.
   *
   * @param name our name of the whole
   */
  public Weight bias(String name, Rows... parts) {
    List<CheckpointTensor> tensors = new ArrayList<>();
    long offset = 0;
    for (Rows part : parts) {
      tensors.add(new CheckpointTensor(part.checkpointName(), offset, List.of(part.count())));
      offset += part.count();
    }
    return add(name, List.of(sections(parts)), new Initializer.Constant(0), tensors);
  }

  /** State that no gradient changes. */
  public StateBuffer buffer(String checkpointName, long length) {
    StateBuffer buffer = new StateBuffer(checkpointName, length, block);
    buffers.add(buffer);
    return buffer;
  }

  /** Everything declared so far. */
  public List<Weight> weights() {
    return List.copyOf(weights);
  }

  /** All state buffers declared so far. */
  public List<StateBuffer> buffers() {
    return List.copyOf(buffers);
  }

  /**
   * Allocates some of the weights, and the buffers of their blocks. The caller owns the store, and
   * closes the buffers too.
   *
   * @param held whether something of a weight is held here
   * @param part what of a weight is held; the weight itself for all of it
   */
  public ParameterStore allocate(
      ParameterStore.Storage storage,
      Predicate<ParameterSpec> held,
      IntPredicate blocks,
      UnaryOperator<ParameterSpec> part) {
    weights.removeIf(weight -> !held.test(weight.spec()));
    ParameterStore store =
        new ParameterStore(
            weights.stream().map(weight -> part.apply(weight.spec())).toList(), storage);
    for (Weight weight : weights) {
      weight.bind(store.parameter(weight.spec().name()));
    }
    Dtype stateDtype = storage.dtype() == Dtype.FLOAT64 ? Dtype.FLOAT64 : Dtype.FLOAT32;
    buffers.removeIf(buffer -> !blocks.test(buffer.block()));
    buffers.forEach(buffer -> buffer.allocate(stateDtype, storage.device()));
    return store;
  }

  /** Frees the state buffers. */
  public void closeBuffers() {
    buffers.forEach(StateBuffer::close);
  }

  private Weight add(
      String name,
      List<List<Section>> sections,
      Initializer initializer,
      List<CheckpointTensor> tensors) {
    return add(new ParameterSpec(name, sections, initializer, block), tensors, false);
  }

  private Weight add(ParameterSpec spec, List<CheckpointTensor> tensors, boolean adapter) {
    Weight weight = new Weight(spec, tensors, adapter);
    weights.add(weight);
    return weight;
  }

  /** A weight of an adapter, in the block of the weight that it is beside. */
  public Weight adapter(ParameterSpec spec, List<CheckpointTensor> tensors) {
    return add(spec, tensors, true);
  }

  /** Puts the weights in the order of the forward pass; those of a block stay in theirs. */
  public void sortByBlock() {
    weights.sort(Comparator.comparingInt(weight -> weight.spec().block()));
  }
}
