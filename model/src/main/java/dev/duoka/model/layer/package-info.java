/**
 * The layers that DeepSeek's papers describe. A layer declares its weights when it is made and
 * applies functions to a {@link dev.duoka.model.layer.Pass}'s tape when it runs. Hidden states are
 * {@code [b·t, h]} throughout.
 */
package dev.duoka.model.layer;
