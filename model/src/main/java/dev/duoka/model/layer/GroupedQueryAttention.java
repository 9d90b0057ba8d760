package dev.duoka.model.layer;

import dev.duoka.engine.autograd.Variable;
import dev.duoka.engine.function.Attention;
import dev.duoka.engine.function.GroupedQueryHeads;
import dev.duoka.engine.parameter.Axis;
import dev.duoka.engine.parameter.Section;
import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.model.weight.Weight;
import dev.duoka.model.weight.WeightDeclarations;
import dev.duoka.model.weight.WeightDeclarations.Rows;
import dev.duoka.tensor.Tensor;

/** Attention with fewer key and value heads than query heads, and rotary positions. */
public final class GroupedQueryAttention implements SelfAttention {
  private final AttentionConfig.GroupedQuery config;
  private final int layer;
  private final Weight queryKeyValue;
  private final Weight output;

  /** Declares the weights of layer number {@code layer} under the checkpoint's {@code prefix}. */
  public GroupedQueryAttention(
      WeightDeclarations weights,
      String prefix,
      int layer,
      long hiddenSize,
      AttentionConfig.GroupedQuery config) {
    this.config = config;
    this.layer = layer;
    Section hidden = Section.of(Axis.HIDDEN, hiddenSize);
    Section heads = new Section(Axis.HEADS, config.heads(), config.headDim());
    Section kvHeads = new Section(Axis.KEY_VALUE_HEADS, config.kvHeads(), config.headDim());
    queryKeyValue =
        weights.stackedRows(
            prefix + "qkv_proj.weight",
            hidden,
            new Rows(prefix + "q_proj.weight", heads),
            new Rows(prefix + "k_proj.weight", kvHeads),
            new Rows(prefix + "v_proj.weight", kvHeads));
    output = weights.matrix(prefix + "o_proj.weight", hidden, heads);
  }

  @Override
  public Variable addTo(Variable residual, Pass pass, Variable hidden) {
    Variable joint = Projection.apply(pass, queryKeyValue, hidden);
    Variable[] heads =
        pass.tape()
            .applyAll(
                new GroupedQueryHeads(
                    pass.batch(),
                    config.heads() / config.kvHeads(),
                    config.headDim(),
                    pass.rotary(),
                    pass.firstPosition()),
                joint);
    KeyValueCache cache = pass.cache();
    if (cache != null) {
      Tensor[] all =
          cache.append(layer, pass.firstPosition(), 2, heads[1].value(), heads[2].value());
      heads[1] = Variable.constant(all[0]);
      heads[2] = Variable.constant(all[1]);
    }
    Variable attended =
        pass.tape().apply(new Attention(1 / Math.sqrt(config.headDim()), pass.documents()), heads);
    return Projection.apply(pass, output, attended, residual);
  }
}
