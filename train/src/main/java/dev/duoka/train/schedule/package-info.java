/**
 * Learning-rate schedules as pure functions of the step; read {@code LearningRateSchedule} first.
 */
package dev.duoka.train.schedule;
