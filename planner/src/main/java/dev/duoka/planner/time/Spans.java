package dev.duoka.planner.time;

import dev.duoka.layout.Layout;

/**
 * Over how many neighbouring cards the groups of each axis spread. Tensor ranks are nearest, then
 * context; experts over neighbouring data ranks of a stage; data outermost, or pipeline where
 * experts are spread.
 *
 * @param tensor of a tensor group
 * @param context of a context group
 * @param expert of an expert group
 * @param pipeline of two stages
 * @param data of the data-parallel ranks of one replica
 * @param replicas of the ranks in the same place of all replicas, which lie outermost
 */
record Spans(int tensor, int context, int expert, int pipeline, int data, int replicas) {
  static Spans of(Layout layout) {
    int inner = layout.tensor() * layout.context();
    int all = layout.gpus();
    boolean dataInside = layout.expert() > inner;
    return new Spans(
        layout.tensor(),
        inner,
        Math.max(layout.expert(), 1),
        dataInside ? all : inner * Math.min(2, layout.pipeline()),
        (dataInside ? inner * layout.data() : all) / layout.replicate(),
        dataInside ? inner * layout.data() : all);
  }
}
