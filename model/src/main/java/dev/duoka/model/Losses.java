package dev.duoka.model;

import dev.duoka.engine.autograd.Variable;
import java.util.List;

/**
 * What a pass over a micro-batch gives: sums over its real tokens, fp32 {@code [1]} each.
 *
 * @param next the cross-entropy of the next token
 * @param further the cross-entropies of the modules that predict further tokens, unweighted
 */
public record Losses(Variable next, List<Variable> further) {
  /** All of them, to run backward from. */
  public Variable[] all() {
    Variable[] all = new Variable[1 + further.size()];
    all[0] = next;
    for (int i = 0; i < further.size(); i++) {
      all[i + 1] = further.get(i);
    }
    return all;
  }
}
