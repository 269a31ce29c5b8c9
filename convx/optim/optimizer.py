"""What optimisers share: groups of parameters with options of their own, and saved state."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from convx._ops import optimization

Group = dict[str, Any]


class Learned(Protocol):
    """What an optimiser changes, such as :class:`convx.nn.Parameter`."""

    data: NDArray[Any]
    grad: NDArray[Any] | None


class Optimizer:
    """Base of optimisers: subclasses name their rule, and say what its numbers are.

    Parameters
    ----------
    params : iterable of Parameter, or of dict
        What is to be learned; dictionaries have them under "params", and options that differ from
        the others'.
    options : mapping
        The options of groups that do not give them.

    Attributes
    ----------
    param_groups : list of dict
        The groups, each with its parameters under "params" and all options. Schedules change "lr".
    state : dict
        What is kept for each parameter that was ever changed.
    """

    rule: ClassVar[str]

    def __init__(self, params: Iterable[Any], options: Mapping[str, Any]) -> None:
        groups = list(params)
        if not groups:
            raise ValueError("params must have at least one parameter, got none")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.defaults = dict(options)
        self.state: dict[Learned, dict[str, Any]] = {}
        self.param_groups: list[Group] = []
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: Group) -> None:
        """Add parameters, with options of their own where they are given."""
        strange = group.keys() - self.defaults.keys() - {"params", "initial_lr"}
        if strange:
            raise ValueError(
                f"params must have groups with options of {sorted(self.defaults)}, got "
                f"{sorted(strange)}"
            )
        members = list(group["params"])
        known = {id(one) for other in self.param_groups for one in other["params"]}
        if len({id(one) for one in members} - known) != len(members):
            raise ValueError("params must have every parameter once, got one of them twice")
        options = self.checked(**{**self.defaults, **group, "params": None})
        self.param_groups.append({"params": members, **options})

    def checked(self, **options: Any) -> dict[str, Any]:
        """Return the options of a group, or raise."""
        del options["params"]
        return options

    def step(self) -> None:
        """Change every parameter that has a gradient."""
        steps = []
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    own = self.state.setdefault(parameter, {})
                    given, state = self.prepare(group, own, parameter)
                    steps.append((given, (parameter.data, parameter.grad, *state)))
        optimization.take_steps(self.rule, steps)

    def prepare(
        self, group: Group, state: dict[str, Any], parameter: Learned
    ) -> tuple[tuple[float, ...], optimization.State]:
        """Return the rule's numbers for the next step of a parameter, and its state."""
        raise NotImplementedError(f"{type(self).__name__} has no rule")

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for group in self.param_groups:
            for parameter in group["params"]:
                parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """Return what is to be saved, as PyTorch lays it out.

        Returns
        -------
        dict
            "state": by the number of each parameter, arrays and the count of steps;
            "param_groups": the options, with the numbers of the parameters under "params".
        """
        numbers = self._numbers()
        state = {
            number: {name: np.copy(value) for name, value in self.state[one].items()}
            for one, number in numbers.items()
            if one in self.state
        }
        groups = [
            {**group, "params": [numbers[one] for one in group["params"]]}
            for group in self.param_groups
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Go on where another optimiser stopped, given its :meth:`state_dict`.

        Raises
        ------
        ValueError
            If groups, numbers of parameters or shapes differ; nothing was loaded then.
        """
        groups, members = saved["param_groups"], list(self._numbers())
        sizes = [len(group["params"]) for group in self.param_groups]
        came = [len(group["params"]) for group in groups]
        if came != sizes:
            raise ValueError(f"state must have groups of {sizes} parameters, got {came}")
        places = [number for group in groups for number in group["params"]]
        by_number = dict(zip(places, members))
        state = {
            by_number[number]: self._restored(by_number[number], values, number)
            for number, values in saved["state"].items()
        }
        self.state = state
        for group, other in zip(self.param_groups, groups):
            known = (name for name in other if name in group or name == "initial_lr")
            group.update({name: other[name] for name in known if name != "params"})

    @staticmethod
    def _restored(parameter: Learned, values: Mapping[str, Any], number: int) -> dict[str, Any]:
        restored: dict[str, Any] = {}
        for name, value in values.items():
            if value is None:
                continue
            array = np.asarray(value).astype(parameter.data.dtype, order="C")
            if name == "step":
                restored[name] = int(array)
            elif array.shape != parameter.data.shape:
                raise ValueError(
                    f"state must have {name} of shape {parameter.data.shape} for parameter "
                    f"{number}, got {array.shape}"
                )
            else:
                restored[name] = array
        return restored

    def _numbers(self) -> dict[Learned, int]:
        members = (one for group in self.param_groups for one in group["params"])
        return {one: number for number, one in enumerate(members)}

    def __repr__(self) -> str:
        told = [
            f"{len(group['params'])} parameters, "
            + ", ".join(f"{name}={value!r}" for name, value in group.items() if name != "params")
            for group in self.param_groups
        ]
        return f"{type(self).__name__}({'; '.join(told)})"
