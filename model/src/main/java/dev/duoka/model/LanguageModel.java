package dev.duoka.model;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Embedding;
import dev.duoka.engine.function.LinearCrossEntropy;
import dev.duoka.engine.function.NextToken;
import dev.duoka.engine.function.OutputProjection;
import dev.duoka.engine.function.PreferenceLoss;
import dev.duoka.engine.function.RmsNorm;
import dev.duoka.engine.function.RotaryTable;
import dev.duoka.engine.parameter.Parameter;
import dev.duoka.engine.parameter.ParameterStore;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.layer.DecoderLayer;
import dev.duoka.model.layer.MixtureOfExperts;
import dev.duoka.model.layer.MultiTokenPrediction;
import dev.duoka.model.layer.Pass;
import dev.duoka.model.layer.SelectionBias;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.model.weight.StateBuffer;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/**
 * A causal language model with its weights: embedding, decoder layers, final norm, output head, and
 * for V3 the modules that predict further tokens.
 *
 * <p>One thread at a time. Owns its parameters, state and rotary table; made by {@link
 * ModelFactory}.
 */
public final class LanguageModel implements AutoCloseable {
  private final ModelConfig config;
  private final ModelParts parts;
  private final List<BlockRange> held;
  private final ParameterStore parameters;
  private final RotaryTable rotary;

  LanguageModel(
      ModelConfig config,
      ModelParts parts,
      List<BlockRange> held,
      ParameterStore parameters,
      RotaryTable rotary) {
    this.config = config;
    this.parts = parts;
    this.held = List.copyOf(held);
    this.parameters = parameters;
    this.rotary = rotary;
  }

  /** The configuration it was made from. */
  public ModelConfig config() {
    return config;
  }

  /** The weights in their flat buffers. */
  public ParameterStore parameters() {
    return parameters;
  }

  /** The weights as the layers declared them, with their names in a checkpoint. */
  public List<Weight> weights() {
    return parts.declarations().weights();
  }

  /** The weights of the model itself, without those of an adapter. */
  public List<Weight> baseWeights() {
    return weights().stream().filter(weight -> !weight.isAdapter()).toList();
  }

  /** The weights that are trained: all of them, or an adapter's and those trained whole with it. */
  public List<Weight> trainedWeights() {
    return weights().stream().filter(weight -> weight.spec().trainable()).toList();
  }

  /** The others. */
  public List<Weight> frozenWeights() {
    return weights().stream().filter(weight -> !weight.spec().trainable()).toList();
  }

  /** Whether blocks before these are trained, wherever they are, and so need gradients of them. */
  public boolean trainsBefore(BlockRange blocks) {
    return parts.firstTrained() < blocks.first();
  }

  /** State that no gradient changes. */
  public List<StateBuffer> buffers() {
    return parts.declarations().buffers();
  }

  /** How many modules predict further tokens. */
  public int predictionDepth() {
    return parts.predictors().size();
  }

  /** The longest sequence that positions were prepared for. */
  public long maxPositions() {
    return rotary.positions();
  }

  /** The biases that even out the experts' load, in the order of the layers. */
  public List<SelectionBias> selectionBiases() {
    return mixtures().stream()
        .map(MixtureOfExperts::selectionBias)
        .filter(Objects::nonNull)
        .toList();
  }

  /** The mixtures of experts of the blocks that are held, in the order of the layers. */
  public List<MixtureOfExperts> mixtures() {
    List<MixtureOfExperts> mixtures = new ArrayList<>();
    int layers = parts.layers().size();
    for (int layer = 0; layer < layers; layer++) {
      addMixture(mixtures, BlockRange.ofLayer(layer), parts.layers().get(layer));
    }
    for (int depth = 0; depth < parts.predictors().size(); depth++) {
      int block = BlockRange.ofLayer(layers) + 1 + depth;
      addMixture(mixtures, block, parts.predictors().get(depth).layer());
    }
    return mixtures;
  }

  private void addMixture(List<MixtureOfExperts> mixtures, int block, DecoderLayer layer) {
    if (holds(block) && layer.feedForward() instanceof MixtureOfExperts experts) {
      mixtures.add(experts);
    }
  }

  /** The rotations of positions, for a {@link Pass}. */
  public RotaryTable rotary() {
    return rotary;
  }

  /** The blocks that are here, of a model that is spread over several devices. */
  public List<BlockRange> held() {
    return held;
  }

  private boolean holds(int block) {
    return held.stream().anyMatch(range -> range.contains(block));
  }

  /** Whether a part of the model ends with the output head, and so with losses. */
  public boolean hasHead(BlockRange part) {
    return part.contains(BlockRange.ofLayer(config.layers()));
  }

  /** The embeddings of tokens {@code [b, t]}: {@code [b·t, h]}. */
  public Variable embed(Pass pass, Tensor tokens) {
    return pass.tape().apply(new Embedding(parts.embedding().parameter(), tokens));
  }

  /** All decoder layers: {@code [n, h] → [n, h]}. */
  public Variable layers(Pass pass, Variable hidden) {
    return layers(pass, hidden, BlockRange.ALL);
  }

  /** The decoder layers of a part of the model: {@code [n, h] → [n, h]}. */
  public Variable layers(Pass pass, Variable hidden, BlockRange part) {
    Variable output = hidden;
    for (int layer = 0; layer < parts.layers().size(); layer++) {
      if (part.contains(BlockRange.ofLayer(layer))) {
        output = parts.layers().get(layer).apply(pass, output);
      }
    }
    return output;
  }

  /** The final norm: {@code [n, h] → [n, h]}, ready for the output head. */
  public Variable normed(Pass pass, Variable hidden) {
    return pass.tape().apply(new RmsNorm(parts.norm().parameter(), config.rmsNormEps()), hidden);
  }

  /** The normalised hidden states of tokens {@code [b, t]}: {@code [b·t, h]}. */
  public Variable hidden(Pass pass, Tensor tokens) {
    return normed(pass, layers(pass, embed(pass, tokens)));
  }

  /** The losses of a micro-batch. */
  public Losses losses(Pass pass, TokenBatch batch, Objective objective) {
    return losses(pass, layers(pass, embed(pass, batch.tokens())), batch, objective);
  }

  /**
   * The losses of a micro-batch, from the output of the last decoder layer.
   *
   * @param output {@code [n, h]}
   */
  public Losses losses(Pass pass, Variable output, TokenBatch batch, Objective objective) {
    Variable hidden = normed(pass, output);
    return switch (objective) {
      case Objective.NextToken weights -> ofTokens(pass, hidden, batch, weights);
      case Objective.Preference preference -> ofPairs(pass, hidden, batch, preference);
      case Objective.MostLikely _ ->
          new Losses(
              pass.tape()
                  .apply(
                      new NextToken(
                          pass.projection(parts.head()), batch.targets(), batch.sequences()),
                      hidden),
              List.of(),
              null);
    };
  }

  private Losses ofPairs(
      Pass pass, Variable hidden, TokenBatch batch, Objective.Preference preference) {
    PreferenceLoss.Pairs pairs =
        new PreferenceLoss.Pairs(batch.targets(), batch.references(), UnaryOperator.identity());
    Variable[] outputs =
        pass.tape()
            .applyAll(
                new PreferenceLoss(
                    pass.projection(parts.head()), pairs, preference.terms(), preference.perPair()),
                hidden);
    return new Losses(
        outputs[0], List.of(), new Losses.OfPairs(outputs[1].value(), outputs[2].value()));
  }

  private Losses ofTokens(
      Pass pass, Variable normed, TokenBatch batch, Objective.NextToken weights) {
    Variable hidden = normed;
    Variable next = crossEntropy(pass, hidden, batch.targets(), weights.perToken());
    List<Variable> further = new ArrayList<>();
    for (int depth = 0; depth < batch.predictionDepth(); depth++) {
      Variable embedding = embed(pass, batch.furtherTokens(depth));
      hidden = parts.predictors().get(depth).apply(pass, hidden, embedding);
      further.add(
          crossEntropy(
              pass,
              hidden,
              batch.furtherTargets(depth),
              weights.perToken() * weights.furtherTokens() / batch.predictionDepth()));
    }
    return new Losses(next, further, null);
  }

  /** The output head {@code [vocabulary, h]}, or what of it is here. */
  public Parameter head() {
    return parts.head().parameter();
  }

  /** The logits of hidden states {@code [n, h]}: {@code [n, vocabulary]} in the compute dtype. */
  public Tensor logits(Pass pass, Tensor hidden) {
    return pass.projection(parts.head()).logits(hidden);
  }

  private Variable crossEntropy(Pass pass, Variable hidden, Tensor targets, double scale) {
    OutputProjection projection = pass.projection(parts.head());
    return pass.tape().apply(new LinearCrossEntropy(projection, targets, scale), hidden);
  }

  @Override
  public void close() {
    selectionBiases().forEach(SelectionBias::close);
    parameters.close();
    parts.declarations().closeBuffers();
    rotary.close();
  }

  /**
   * The layers of a model.
   *
   * @param declarations all weights
   * @param embedding {@code [vocabulary, h]}
   * @param layers in order
   * @param norm of the last hidden states
   * @param head {@code [vocabulary, h]}; the embedding itself when they are tied
   * @param predictors the modules that predict further tokens
   * @param firstTrained the first block with a weight that is trained
   */
  record ModelParts(
      WeightDeclarations declarations,
      Weight embedding,
      List<DecoderLayer> layers,
      Weight norm,
      Weight head,
      List<MultiTokenPrediction> predictors,
      int firstTrained) {}
}
