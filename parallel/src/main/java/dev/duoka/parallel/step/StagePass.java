package dev.duoka.parallel.step;

import dev.duoka.engine.autograd.Substitution;
import dev.duoka.engine.function.ExpertPlacement;
import dev.duoka.model.LanguageModel;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.mesh.MeshGroups;
import dev.duoka.parallel.plan.RankPlan;

/**
 * What all passes of a rank have in common.
 *
 * @param model what the rank holds
 * @param tokens which of each sequence it sees
 * @param plan which stages that is
 * @param groups the ranks it works with
 * @param substitution puts sharded counterparts in the place of functions
 * @param experts where the experts are
 */
record StagePass(
    LanguageModel model,
    LocalTokens tokens,
    RankPlan plan,
    MeshGroups groups,
    Substitution substitution,
    ExpertPlacement experts) {
  /** How many ranks have parts of the rows of one micro-batch. */
  int rowShares() {
    return groups.mesh().tensor() * groups.mesh().context();
  }

  /** Whether this rank has losses that are counted; tensor ranks have the same. */
  boolean hasLosses() {
    return tensorRank() == 0 && plan.blocks().stream().anyMatch(model::hasHead);
  }

  /** Whether what belongs to whole sequences is counted here, parts of which other ranks read. */
  boolean countsSequences() {
    return hasLosses() && groups.context().rank() == 0;
  }

  /** Which part of the rows of its context chunk this rank has between functions, from 0. */
  int tensorRank() {
    return groups.coordinate(Mesh.Axis.TENSOR);
  }
}
