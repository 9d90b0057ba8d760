import org.jspecify.annotations.NullMarked;

/** How a run is laid out: axes, ZeRO stage, batch, recompute, offload, precision. Values alone. */
@NullMarked
module dev.duoka.layout {
  requires static transitive org.jspecify;
  requires transitive dev.duoka.base;

  exports dev.duoka.layout;
}
