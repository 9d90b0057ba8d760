package dev.duoka.verify.parity;

import dev.duoka.base.Progress;
import dev.duoka.engine.autograd.Tape;
import dev.duoka.engine.autograd.Variable;
import dev.duoka.layout.Recompute;
import dev.duoka.model.LanguageModel;
import dev.duoka.model.Losses;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.Objective;
import dev.duoka.model.TokenBatch;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.weight.Weight;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.op.HostCopy;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The whole model on one device; the gradients are those of a tape, before any reduction. */
record OneRank(OptimizerSteps optimizerSteps) implements ParityEngine {
  @Override
  public OneBatch oneBatch(TokenIds ids) {
    ModelFactory.Allocation allocation =
        new ModelFactory.Allocation(
            Dtype.FLOAT32,
            optimizerSteps.device(),
            true,
            optimizerSteps.settings().sequenceLength(),
            0);
    try (LanguageModel model = ModelFactory.create(optimizerSteps.settings().model(), allocation)) {
      optimizerSteps.weights().read(model, Progress.NONE);
      return oneBatch(model, ids);
    }
  }

  private OneBatch oneBatch(LanguageModel model, TokenIds ids) {
    int sequences = ids.sequences();
    double loss;
    double[] logits;
    try (Scope _ = Scope.open();
        Tape tape = Tape.recording(Recompute.NONE);
        TokenBatch batch = ids.onDevice(optimizerSteps.device())) {
      Pass pass = Pass.overSequences(tape, sequences, model.rotary(), null);
      Losses losses = model.losses(pass, batch, new Objective.NextToken(1.0 / ids.targets(), 0));
      loss = HostCopy.item(losses.main().value()) / ids.targets();
      tape.backward(losses.main());
      try (Tape inference = Tape.inference()) {
        Pass again = Pass.overSequences(inference, sequences, model.rotary(), null);
        Variable hidden = model.hidden(again, batch.tokens());
        logits = HostCopy.doubles(model.logits(again, hidden.value()));
      }
    }
    model.parameters().zeroUntouchedGradients();
    Map<String, double[]> gradients = new HashMap<>();
    for (Weight weight : model.trainedWeights()) {
      gradients.put(weight.spec().name(), HostCopy.doubles(weight.parameter().gradient()));
    }
    return new OneBatch(loss, Optional.of(() -> logits), gradients);
  }

  @Override
  public OptimizerSteps.Series steps(int perturbation) {
    return optimizerSteps.run(perturbation);
  }
}
