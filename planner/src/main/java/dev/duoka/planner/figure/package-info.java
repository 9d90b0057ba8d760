/** A number and how far it can be trusted. Read {@code Figure} first. */
package dev.duoka.planner.figure;
