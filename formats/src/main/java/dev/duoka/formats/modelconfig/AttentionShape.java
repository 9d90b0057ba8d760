package dev.duoka.formats.modelconfig;

import java.util.ArrayList;
import java.util.List;

/**
 * What attention computes and keeps.
 *
 * @param heads query heads
 * @param kvHeads key-value heads
 * @param products its products
 * @param normWeights weights of the norms inside it, and of biases
 * @param queryWidth width of all queries
 * @param keyWidth width of all keys as they are kept
 * @param valueWidth width of all values as they are kept
 * @param resultWidth width of all heads' results
 * @param latentWidth width of compressed vectors that norms keep twice, in and out; not divided by
 *     tensor parallelism
 * @param exchangedWidth what context parallelism sends per token instead of keys and values
 */
public record AttentionShape(
    int heads,
    int kvHeads,
    List<Product> products,
    long normWeights,
    long queryWidth,
    long keyWidth,
    long valueWidth,
    long resultWidth,
    long latentWidth,
    long exchangedWidth) {
  public AttentionShape {
    products = List.copyOf(products);
  }

  /** The shape of an attention between vectors of {@code hidden} elements. */
  public static AttentionShape of(AttentionConfig config, long hidden) {
    return switch (config) {
      case AttentionConfig.GroupedQuery(
              int heads,
              int kvHeads,
              int headDim,
              boolean bias,
              boolean headNorms) -> {
        long query = (long) heads * headDim;
        long key = (long) kvHeads * headDim;
        yield new AttentionShape(
            heads,
            kvHeads,
            List.of(
                new Product(hidden, query + 2 * key, Product.Cut.OUTER),
                new Product(query, hidden, Product.Cut.INNER)),
            (bias ? query + 2 * key : 0) + (headNorms ? 2L * headDim : 0),
            query,
            key,
            key,
            query,
            0,
            2 * key);
      }
      case AttentionConfig.MultiHeadLatent latent -> latent(latent, hidden);
    };
  }

  /** All weights, those of the norms inside too. */
  public long parameters() {
    return Product.parameters(products) + normWeights;
  }

  /** FLOPs of a token's forward pass over {@code length} keys, both products. */
  public double flops(double length) {
    long perHead = queryWidth / heads + resultWidth / heads;
    return 2.0 * heads * perHead * length;
  }

  private static AttentionShape latent(AttentionConfig.MultiHeadLatent config, long hidden) {
    long heads = config.heads();
    long query = heads * config.qkHeadDim();
    long value = heads * config.vHeadDim();
    long queryRank = config.qLoraRank();
    long rank = config.kvLoraRank();
    List<Product> products = new ArrayList<>();
    if (config.compressesQueries()) {
      products.add(new Product(hidden, queryRank, Product.Cut.NONE));
      products.add(new Product(queryRank, query, Product.Cut.OUTER));
    } else {
      products.add(new Product(hidden, query, Product.Cut.OUTER));
    }
    products.add(new Product(hidden, rank + config.qkRopeHeadDim(), Product.Cut.NONE));
    products.add(
        new Product(rank, heads * (config.qkNopeHeadDim() + config.vHeadDim()), Product.Cut.OUTER));
    products.add(new Product(value, hidden, Product.Cut.INNER));
    return new AttentionShape(
        config.heads(),
        config.heads(),
        products,
        queryRank + rank,
        query,
        query,
        value,
        value,
        queryRank + rank,
        rank + config.qkRopeHeadDim());
  }
}
