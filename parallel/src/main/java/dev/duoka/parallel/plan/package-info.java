/**
 * What each rank holds of a model: {@link dev.duoka.parallel.plan.StagePlan} cuts it into pipeline
 * stages, {@link dev.duoka.parallel.plan.WeightPlan} its weights by their axes, {@link
 * dev.duoka.parallel.plan.RankPlan} is both for one rank.
 */
@NullMarked
package dev.duoka.parallel.plan;

import org.jspecify.annotations.NullMarked;
