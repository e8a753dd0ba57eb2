//! Variables: where their values come from, and the templates `{{ name }}` that use them.

use std::collections::{BTreeMap, HashMap};
use std::env::VarError;

use anyhow::{Context, Result, bail, ensure};

use crate::manifest::Variable;

/// The values of all application variables.
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Finds each value as Spin does: the command line, else `SPIN_VARIABLE_NAME` of the environment, else the default.
    pub fn resolve(
        declared: &BTreeMap<String, Variable>,
        given: &HashMap<String, String>,
        environment: impl Fn(&str) -> Result<String, VarError>,
    ) -> Result<Self> {
        let mut values = HashMap::new();
        let mut missing = Vec::new();
        for (name, variable) in declared {
            check_name(name).map_err(|reason| anyhow::anyhow!("invalid variable name: {reason}"))?;
            let key = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            let value = match (given.get(name), environment(&key)) {
                (Some(value), _) => Some(value.clone()),
                (None, Ok(value)) => Some(value),
                (None, Err(VarError::NotPresent)) => variable.default.clone(),
                (None, Err(error)) => return Err(error).with_context(|| format!("failed to resolve env var {key}")),
            };
            match value {
                Some(value) => _ = values.insert(name.clone(), value),
                None => missing.push(name),
            }
        }
        ensure!(missing.is_empty(), "no provider resolved required variable(s): {missing:?}");
        Ok(Self(values))
    }

    /// The template with the values in the place of their names.
    pub fn fill(&self, template: &str) -> Result<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((literal, expression)) = rest.split_once("{{") {
            let Some((name, after)) = expression.split_once("}}") else {
                bail!("invalid variable template: unmatched '{{{{' in {template:?}");
            };
            let name = name.trim();
            let value =
                self.0.get(name).with_context(|| format!("invalid variable template: unknown variable {name:?}"))?;
            filled.push_str(literal);
            filled.push_str(value);
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    /// The values that a component sees under names of its own.
    pub fn of_component(&self, templates: &BTreeMap<String, String>) -> Result<HashMap<String, String>> {
        templates
            .iter()
            .map(|(name, template)| {
                check_name(name).map_err(|reason| anyhow::anyhow!("invalid variable name: {reason}"))?;
                Ok((name.clone(), self.fill(template)?))
            })
            .collect()
    }
}

/// The rule for names, and Spin's words for those that break it.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_';
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(invalid) = name.chars().find(|c| !allowed(c)) {
        format!(
            "invalid character {invalid:?}. Variable names may contain only lower-case letters, numbers, and underscores."
        )
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lowercase ASCII letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lowercase ASCII letter or digit".to_owned()
    } else if name.contains("__") {
        "must not contain multiple consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("{name:?}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(default: Option<&str>) -> Variable {
        let text = default.map_or("required = true".to_owned(), |default| format!("default = {default:?}"));
        toml::from_str(&text).unwrap()
    }

    fn resolve(given: &[(&str, &str)]) -> Result<Variables> {
        let declared = BTreeMap::from([
            ("host".to_owned(), variable(Some("localhost"))),
            ("port".to_owned(), variable(Some("80"))),
            ("api_key".to_owned(), variable(None)),
        ]);
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Variables::resolve(&declared, &given, |key| match key {
            "SPIN_VARIABLE_PORT" => Ok("8080".to_owned()),
            _ => Err(VarError::NotPresent),
        })
    }

    #[test]
    fn command_line_before_environment_before_default() {
        let variables = resolve(&[("api_key", "k"), ("unknown", "x")]).unwrap();
        assert_eq!(variables.fill("{{host}}:{{ port }}/{{  api_key }}{{host}}").unwrap(), "localhost:8080/klocalhost");
        let variables = resolve(&[("api_key", ""), ("port", "1"), ("host", "h")]).unwrap();
        assert_eq!(variables.fill("{{host}}:{{ port }}/{{ api_key }}").unwrap(), "h:1/");
    }

    #[test]
    fn a_required_variable_must_have_a_value() {
        let error = resolve(&[]).err().unwrap();
        assert_eq!(error.to_string(), "no provider resolved required variable(s): [\"api_key\"]");
    }

    #[test]
    fn templates() {
        let variables = resolve(&[("api_key", "{{ host }}")]).unwrap();
        for literal in ["", "plain", "}} { }", "{ host }"] {
            assert_eq!(variables.fill(literal).unwrap(), literal);
        }
        assert_eq!(variables.fill("{{ api_key }}").unwrap(), "{{ host }}", "values are no templates");
        for (template, reason) in [("{{ hos }}", "unknown variable \"hos\""), ("{{ host", "unmatched '{{' in")] {
            assert!(variables.fill(template).unwrap_err().to_string().contains(reason), "{template}");
        }
    }

    #[test]
    fn names() {
        for good in ["a", "abc", "a1b2c3", "a_1", "a_1_b_3"] {
            check_name(good).unwrap();
        }
        for bad in ["", "aX", "1bc", "_x", "x.y", "x_", "a__b", "x-y", "ä"] {
            check_name(bad).unwrap_err();
        }
    }
}
