package dev.duoka.formats.modelconfig;

import java.util.List;
import java.util.stream.IntStream;

/**
 * How many parameters a model has, by formula.
 *
 * <p>V3's routing biases are not counted: no gradient trains them.
 *
 * @param embedding the input embedding
 * @param head the output head; 0 where it is the embedding's matrix
 * @param finalNorm the norm before the head
 * @param layers each decoder layer
 * @param mtp what each MTP module has of its own, without the embedding and head it shares; empty
 *     without modules
 */
public record ParameterCounts(
    long embedding, long head, long finalNorm, List<LayerParameters> layers, List<Long> mtp) {
  public ParameterCounts {
    layers = List.copyOf(layers);
    mtp = List.copyOf(mtp);
  }

  /** Counts the parameters of a model. */
  public static ParameterCounts of(ModelConfig config) {
    long embedding = (long) config.vocabSize() * config.hiddenSize();
    return new ParameterCounts(
        embedding,
        config.tieEmbeddings() ? 0 : embedding,
        config.hiddenSize(),
        IntStream.range(0, config.layers())
            .mapToObj(layer -> LayerParameters.of(config, layer))
            .toList(),
        IntStream.range(config.layers(), config.layers() + config.mtpModules())
            .mapToObj(layer -> mtpModule(config, layer))
            .toList());
  }

  /** All parameters of the main model: MTP modules, which inference drops, are left out. */
  public long total() {
    return embedding + head + finalNorm + layers.stream().mapToLong(LayerParameters::total).sum();
  }

  /** The main model's parameters that work on one token, with the whole embedding. */
  public long active() {
    return embedding + head + finalNorm + layers.stream().mapToLong(LayerParameters::active).sum();
  }

  /** All that is trained: the main model and the MTP modules. */
  public long totalWithMtp() {
    return total() + mtp.stream().mapToLong(Long::longValue).sum();
  }

  /** A decoder layer, the projection of two vectors to one, and the norms of each and the end. */
  private static long mtpModule(ModelConfig config, int layer) {
    long hidden = config.hiddenSize();
    return LayerParameters.of(config, layer).total() + 2 * hidden * hidden + 3 * hidden;
  }
}
