"""Planning of a limited time: how it is divided into exploration and a finale, what still ends in
time, and which designs the finale trains. Imports terms and surrogate."""
