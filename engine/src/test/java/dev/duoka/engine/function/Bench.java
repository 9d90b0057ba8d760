package dev.duoka.engine.function;

import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.parameter.Initializer;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterSpec;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.layout.Recompute;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.testing.Inputs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A function set up to be differentiated: random inputs and parameters, and a loss, the sum of all
 * outputs with random weights. Lives in the scope that is open.
 */
final class Bench implements AutoCloseable {
  /** Applies the function under test. */
  @FunctionalInterface
  interface Computation {
    Variable[] apply(Tape tape, Variable[] inputs);
  }

  /** A part of the loss that is not in the outputs. */
  @FunctionalInterface
  interface ExtraLoss {
    double evaluate();
  }

  private final Inputs random;
  private final List<Tensor> inputs = new ArrayList<>();
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private Computation computation = (_, variables) -> variables;
  private ExtraLoss extraLoss = () -> 0;
  private double onesScale;
  private final List<ParameterStore> stores = new ArrayList<>();
  private final List<RotaryTable> tables = new ArrayList<>();
  private final List<@Nullable Tensor> outputWeights = new ArrayList<>();

  Bench(Inputs random) {
    this.random = random;
  }

  Inputs random() {
    return random;
  }

  /** Adds an input that is differentiated. */
  Tensor input(Tensor tensor) {
    inputs.add(tensor);
    return tensor;
  }

  /** Adds a parameter with random values. */
  Parameter parameter(String name, long... shape) {
    List<Long> sizes = Arrays.stream(shape).boxed().toList();
    ParameterStore store =
        new ParameterStore(
            List.of(ParameterSpec.plain(name, sizes, new Initializer.Constant(0))),
            new ParameterStore.Storage(random.dtype(), random.device(), 1, true));
    stores.add(store);
    Parameter parameter = store.parameter(name);
    Copies.into(parameter.value(), random.coarse(shape));
    parameters.put(name, parameter);
    return parameter;
  }

  /** A parameter with random values that is not trained, and so not differentiated. */
  Parameter frozen(String name, long... shape) {
    List<Long> sizes = Arrays.stream(shape).boxed().toList();
    ParameterStore store =
        new ParameterStore(
            List.of(ParameterSpec.plain(name, sizes, new Initializer.Constant(0)).frozen()),
            new ParameterStore.Storage(random.dtype(), random.device(), 1, true));
    stores.add(store);
    Copies.into(store.parameter(name).value(), random.coarse(shape));
    return store.parameter(name);
  }

  /** Frees {@code table} with the bench. */
  RotaryTable owning(RotaryTable table) {
    tables.add(table);
    return table;
  }

  /** Starts new sums of gradients. */
  void resetGradients() {
    stores.forEach(ParameterStore::resetGradients);
  }

  /** Frees what the scope does not own. */
  @Override
  public void close() {
    tables.forEach(RotaryTable::close);
    stores.forEach(ParameterStore::close);
    outputWeights.stream().filter(Objects::nonNull).forEach(Tensor::close);
  }

  Bench computing(Computation body) {
    this.computation = body;
    return this;
  }

  /** Adds to the loss what the function differentiates without putting it out. */
  Bench plus(ExtraLoss loss) {
    this.extraLoss = loss;
    return this;
  }

  /** The loss is {@code scale} times the sum of the outputs, and backward starts from ones. */
  Bench withGradientScale(double scale) {
    this.onesScale = scale;
    return this;
  }

  List<Tensor> inputs() {
    return inputs;
  }

  Map<String, Parameter> parameters() {
    return parameters;
  }

  /** The loss at the present values of inputs and parameters. */
  double loss() {
    try (Scope _ = Scope.open();
        Tape tape = Tape.inference()) {
      Variable[] outputs = computation.apply(tape, constants());
      if (onesScale != 0) {
        return onesScale * HostCopy.item(outputs[0].value());
      }
      return HostCopy.item(weightedSum(tape, outputs).value()) + extraLoss.evaluate();
    }
  }

  /** Outputs, input gradients and parameter gradients, by name. */
  Map<String, double[]> differentiate(Recompute recompute) {
    Map<String, double[]> results = new LinkedHashMap<>();
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(recompute)) {
      Variable[] leaves = new Variable[inputs.size()];
      for (int i = 0; i < leaves.length; i++) {
        leaves[i] = tape.leaf(inputs.get(i));
      }
      Variable[] outputs = computation.apply(tape, leaves);
      for (int i = 0; i < outputs.length; i++) {
        results.put("output " + i, HostCopy.doubles(outputs[i].value()));
      }
      tape.backward(onesScale != 0 ? outputs[0] : weightedSum(tape, outputs));
      for (int i = 0; i < leaves.length; i++) {
        results.put("gradient of input " + i, HostCopy.doubles(leaves[i].gradient()));
      }
      for (Parameter parameter : parameters.values()) {
        results.put("gradient of " + parameter.name(), HostCopy.doubles(parameter.gradient()));
      }
    }
    return results;
  }

  private Variable[] constants() {
    return inputs.stream().map(Variable::constant).toArray(Variable[]::new);
  }

  private Variable weightedSum(Tape tape, Variable... outputs) {
    for (int i = outputWeights.size(); i < outputs.length; i++) {
      Tensor output = outputs[i].value();
      outputWeights.add(output.dtype().isFloating() ? weight(output) : null);
    }
    return tape.apply(new WeightedSum(outputWeights.toArray(new Tensor[0])), outputs);
  }

  private Tensor weight(Tensor output) {
    try (Scope _ = Scope.open()) {
      return Scope.detach(Copies.cast(random.coarse(output.shape()), output.dtype()));
    }
  }
}
