use super::*;

#[test]
fn r5_the_null_date_ends_with_its_day() {
    let at = |seconds| UserRecord { last_login: Some(UnixSeconds(seconds)), ..UserRecord::default() };
    // Days from 1900-01-01 to 1970-01-01: 70 years, 17 of them leap years.
    let null_date = -(70 * 365 + 17) * 86_400;
    assert!(at(null_date).never_logged_in());
    assert!(at(null_date + 86_399).never_logged_in());
    assert!(!at(null_date + 86_400).never_logged_in());
    assert!(at(i64::MIN).never_logged_in());
    assert!(!at(i64::MAX).never_logged_in());
    assert!(UserRecord::default().never_logged_in());
}

#[test]
fn a_json_line_is_borrowed_unless_it_is_escaped() {
    let line = r#"{"runtime":"prod","username":"ana","email":"jos\u00e9@x.example","name":null}"#;
    let record: UserRecord<'_> = serde_json::from_str(line).unwrap();
    assert!(matches!(record.runtime, Cow::Borrowed("prod")));
    assert!(matches!(record.username, Some(Cow::Borrowed("ana"))));
    assert!(matches!(record.email, Some(Cow::Owned(ref text)) if text == "josé@x.example"));
    assert_eq!(record.name, None);
}

#[test]
fn serde_refuses_what_it_does_not_know() {
    let refused = |line| serde_json::from_str::<UserRecord<'_>>(line).unwrap_err().to_string();
    for (line, message) in [
        (r#"{"runtime":"p","emial":"a@x.example"}"#, "unknown field `emial`"),
        (r#"{"runtime":"p","email":"a","email":"b"}"#, "duplicate field"),
        (r#"{"email":"a"}"#, "missing field `runtime`"),
        (r#"{"runtime":null}"#, "expected a text"),
        (r#"{"runtime":"p","email":351912}"#, "expected a text"),
        (r#"{"runtime":"p","email":true}"#, "expected a text"),
        (r#"{"runtime":"p","status":"canary"}"#, "expected Active, Invited"),
        (r#"{"runtime":"p","is_active":"canary"}"#, "expected true or false"),
        (r#"{"runtime":"p","is_it_user":351912}"#, "expected true or false"),
        (r#"{"runtime":"p","last_login":"canary"}"#, "expected whole unix seconds"),
        (r#"{"runtime":"p","last_login":1.5}"#, "expected whole unix seconds"),
        (r#"{"runtime":"p","email":["canary"]}"#, "expected a text"),
        (r#""canary""#, "expected a record"),
        ("351912", "expected a record"),
        ("-351912", "expected a record"),
        ("3519.12", "expected a record"),
        ("true", "expected a record"),
        ("null", "expected a record"),
    ] {
        let error = refused(line);
        assert!(error.contains(message), "{line}: {error}");
        assert!(!error.contains("canary") && !error.contains("351912"), "{line}: {error}");
    }
}

/// A value as formats other than JSON give it: what may be absent says
/// whether it is there, and integers have 128 bits.
enum Other {
    Text(&'static str),
    Absent,
    Present(&'static str),
    Signed(i128),
    Unsigned(u128),
}

impl serde::de::IntoDeserializer<'_> for Other {
    type Deserializer = Self;
    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Other {
    type Error = serde::de::value::Error;
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self {
            Other::Text(text) => visitor.visit_string(text.to_owned()),
            Other::Absent => visitor.visit_none(),
            Other::Present(text) => visitor.visit_some(serde::de::value::StrDeserializer::new(text)),
            Other::Signed(number) => visitor.visit_i128(number),
            Other::Unsigned(number) => visitor.visit_u128(number),
        }
    }
    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

fn of_other_format(field: &'static str, value: Other) -> Result<UserRecord<'static>, String> {
    let fields = [("runtime", Other::Text("p")), (field, value)];
    let fields = serde::de::value::MapDeserializer::new(fields.into_iter());
    UserRecord::deserialize(fields).map_err(|error| error.to_string())
}

#[test]
fn other_formats_are_read_as_json_is() {
    let record = UserRecord { runtime: "p".into(), ..UserRecord::default() };
    let ana = UserRecord { username: Some("ana".into()), ..record.clone() };
    assert_eq!(of_other_format("username", Other::Text("ana")), Ok(ana.clone()));
    assert_eq!(of_other_format("username", Other::Present("ana")), Ok(ana));
    for field in ["username", "is_active", "last_login", "status"] {
        assert_eq!(of_other_format(field, Other::Absent), Ok(record.clone()), "{field}");
        let expected = match field {
            "is_active" => "expected true or false",
            "last_login" => "expected whole unix seconds",
            _ => "expected a text",
        };
        for number in [Other::Signed(i128::MIN), Other::Unsigned(u128::MAX)] {
            assert_eq!(of_other_format(field, number), Err(expected.to_owned()), "{field}");
        }
    }
    let at = |seconds| Ok(UserRecord { last_login: Some(UnixSeconds(seconds)), ..record.clone() });
    assert_eq!(of_other_format("last_login", Other::Signed(-1)), at(-1));
    assert_eq!(of_other_format("last_login", Other::Unsigned(351_912)), at(351_912));
}

#[test]
fn values_alone_are_refused_in_our_words() {
    let time = serde_json::from_str::<UnixSeconds>(r#""canary""#).unwrap_err().to_string();
    assert_eq!(time, "expected whole unix seconds");
    assert_eq!(serde_json::from_str::<UnixSeconds>("-1").unwrap(), UnixSeconds(-1));
    let status = serde_json::from_str::<Status>(r#""canary""#).unwrap_err().to_string();
    assert_eq!(status, StatusError.to_string());
    for absent in ["null", r#"" ""#] {
        assert!(
            serde_json::from_str::<UnixSeconds>(absent).is_err() && serde_json::from_str::<Status>(absent).is_err()
        );
    }
}

#[test]
fn r7_status_in_any_letter_case() {
    assert_eq!("pendingREGISTRATION".parse(), Ok(Status::PendingRegistration));
    assert_eq!(" inactive ".parse(), Ok(Status::Inactive));
    assert_eq!("Pending Registration".parse::<Status>(), Err(StatusError));
}

#[test]
fn x3_control_characters_inside_login_or_email() {
    let broken = |username: &'static str, email: &'static str| {
        let record = UserRecord { username: Some(username.into()), email: Some(email.into()), ..UserRecord::default() };
        record.broken_fields().map(|field| field.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(broken("a\u{0}n", "a@x\n.example"), ["username", "email"]);
    assert_eq!(broken("ana", "á\u{9c}@x.example"), ["email"]);
    assert!(broken(" ana\r\n", "\tana@x.example\u{85}").is_empty(), "trimmed first (N1)");
}

#[test]
fn debug_shows_no_personal_data() {
    let record = UserRecord {
        username: Some("canary".into()),
        email: Some("canary@x.example".into()),
        key: Some("canary".into()),
        name: Some("canary".into()),
        mobile_phone: Some("canary".into()),
        tenant: Some("canary".into()),
        ..UserRecord::default()
    };
    let shown = format!("{record:?}");
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("username: Some(<redacted>)"), "{shown}");
}
